import type { ExtractError } from "../errors.js";
import { readObjects } from "../extract/read-objects.js";
import type { Queryable } from "../load/warehouse.js";
import { startOfHour } from "../times.js";
import { RecordTransform } from "../transform/transform-records.js";
import type { Source, SourceObject } from "../types.js";

/** What of an object is not in the table. */
export interface LackingObject {
  readonly object: SourceObject;
  /** Events that lack, by the start of their UTC hour in milliseconds since 1970. */
  readonly hours: Map<number, number>;
  /** Why the object could not be read to its end; null when it was. */
  unreadable: ExtractError | null;
}

const OBJECTS_AT_ONCE = 16;
const EVENTS_LOOKED_UP = 5_000;
const parseEveryLine = () => () => false;

/** An event of an object, by the object's index. */
interface Found {
  readonly index: number;
  readonly id: string;
  readonly hour: number;
}

/** Reads `objects` and looks their events of `hours` up in the table. @returns those of which some lack */
export async function lackingRows(
  db: Queryable,
  source: Source,
  objects: readonly SourceObject[],
  hours: ReadonlySet<number>,
): Promise<LackingObject[]> {
  const lacking = objects.map((object): LackingObject => ({ object, hours: new Map(), unreadable: null }));
  const transforms = new Map<number, RecordTransform>();
  let found: Found[] = [];
  for await (const piece of readObjects(source, objects, OBJECTS_AT_ONCE, parseEveryLine)) {
    const { index } = piece;
    if (piece.failure) {
      (lacking[index] as LackingObject).unreadable = piece.failure;
      continue;
    }
    const transform = transforms.get(index) ?? new RecordTransform(objects[index] as SourceObject);
    transforms.set(index, transform);
    for (const { event_id: id, event_timestamp } of transform.apply(piece.records, piece.isLast).rows) {
      const hour = startOfHour(event_timestamp.getTime());
      if (hours.has(hour)) found.push({ index, id, hour });
    }
    if (piece.isLast) transforms.delete(index);
    if (found.length < EVENTS_LOOKED_UP) continue;
    await lookUp(db, found, lacking);
    found = [];
  }
  await lookUp(db, found, lacking);
  return lacking.filter((object) => object.hours.size > 0 || object.unreadable !== null);
}

async function lookUp(
  db: Queryable,
  found: readonly Found[],
  lacking: readonly LackingObject[],
): Promise<void> {
  if (found.length === 0) return;
  const { rows } = await db.query<{ id: string }>(
    "SELECT event_id AS id FROM public.clickstream_events WHERE event_id = ANY ($1::uuid[])",
    [found.map(({ id }) => id)],
  );
  const there = new Set(rows.map(({ id }) => id));
  const counted = new Set<string>();
  for (const { index, id, hour } of found) {
    const name = `${index} ${id}`; // an event that comes twice in an object lacks once
    if (there.has(id) || counted.has(name)) continue;
    counted.add(name);
    const { hours } = lacking[index] as LackingObject;
    hours.set(hour, (hours.get(hour) ?? 0) + 1);
  }
}
