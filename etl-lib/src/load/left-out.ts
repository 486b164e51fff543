import type { EventChunk } from "../rows/event-chunk.js";
import { EVENT_COLUMNS } from "../types.js";
import { copyIntoLateDetails, copyIntoStage } from "./copy.js";
import { ErasedPersons } from "./erased-persons.js";
import type { Queryable } from "./warehouse.js";

/** What the table does not take any more. Read in the transaction that writes to it. */
export interface Keeping {
  /** The line, in milliseconds since 1970: events before it are late. -Infinity: nothing was pruned yet. */
  readonly keptFrom: number;
  /** How many persons were erased, by which it is known whether `erased` is all of them. */
  readonly erasures: number;
  /** Null: nobody, and no row is looked at. */
  readonly erased: ErasedPersons | null;
}

/** Of a chunk, what stays out of the table. */
export interface LeftOut {
  /** 1 for each row whose day is pruned. */
  readonly late: Uint8Array;
  /** How many, by the index of their object. */
  readonly expired: ReadonlyMap<number, number>;
  /** Events of persons who were erased, whatever their day. */
  readonly erased: ReadonlyMap<number, number>;
}

const NOTHING: LeftOut = { late: new Uint8Array(), expired: new Map(), erased: new Map() };
const USER = EVENT_COLUMNS.indexOf("user_id");
const CLIENT = EVENT_COLUMNS.indexOf("client_id");

/** In milliseconds since 1970; -Infinity: nothing was pruned yet. */
export async function readLine(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ kept_from: Date | number }>("SELECT kept_from FROM etl.retention");
  return Number(rows[0]?.kept_from);
}

/**
 * Whoever prunes or erases says so while no batch is open, so it stands as long as the caller's transaction.
 * @param last what was read before
 */
export async function readKeeping(db: Queryable, last?: Keeping): Promise<Keeping> {
  const { rows } = await db.query<{ kept_from: Date | number; erasures: number }>(
    "SELECT kept_from, erasures::float8 FROM etl.retention",
  );
  const { kept_from, erasures } = rows[0] ?? { kept_from: Number.NEGATIVE_INFINITY, erasures: 0 };
  if (last?.erasures === erasures) return { ...last, keptFrom: Number(kept_from) };
  const erased = erasures > 0 ? await ErasedPersons.read(db) : null;
  return { keptFrom: Number(kept_from), erasures, erased };
}

/** @param wanted 1 for each row to insert; what stays out is set to 0 */
export function leaveOut(
  { rows, hourOfRow, objectOfRow }: EventChunk,
  wanted: Uint8Array,
  { keptFrom, erased: persons }: Keeping,
): LeftOut {
  if (keptFrom === Number.NEGATIVE_INFINITY && !persons) return NOTHING;
  const late = new Uint8Array(wanted.length);
  const [expired, erased] = [new Map<number, number>(), new Map<number, number>()];
  for (const [row, hour] of hourOfRow.entries()) {
    if (!wanted[row]) continue;
    const isErased =
      persons !== null &&
      (persons.has("user_id", rows.text(row, USER)) || persons.has("client_id", rows.text(row, CLIENT)));
    if (!isErased && hour >= keptFrom) continue;
    wanted[row] = 0;
    if (!isErased) late[row] = 1;
    const counts = isErased ? erased : expired;
    const object = objectOfRow[row] as number;
    counts.set(object, (counts.get(object) ?? 0) + 1);
  }
  return { late, expired, erased };
}

/** Keeps late events for the lake, each once. */
export async function keepLate(
  db: Queryable,
  { rows, details }: EventChunk,
  { late }: LeftOut,
): Promise<void> {
  const some = rows.only(late);
  if (some.count === 0) return;
  await copyIntoStage(db, some);
  const columns = EVENT_COLUMNS.join(", ");
  const { rows: kept } = await db.query<{ event_id: string }>(
    `INSERT INTO etl.late_events (${columns}) SELECT ${columns} FROM pg_temp.etl_stage
     ON CONFLICT (event_id) DO NOTHING RETURNING event_id`,
  );
  if (details.count === 0 || kept.length === 0) return;
  const fresh = new Uint8Array(rows.count);
  for (const { event_id } of kept) fresh[rows.indexOf(event_id)] = 1;
  await copyIntoLateDetails(db, details.only(fresh));
}
