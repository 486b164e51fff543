import { EVENT_COLUMNS } from "../types.js";
import { copyIntoStage } from "./copy.js";
import type { EventChunk } from "./event-chunk.js";
import type { Queryable } from "./warehouse.js";

/** What the table does not take any more. Read in the transaction that writes to it. */
export interface Keeping {
  /** The line, in milliseconds since 1970: events before it are late. -Infinity: nothing was pruned yet. */
  readonly keptFrom: number;
}

/** Of a chunk, what stays out of the table. */
export interface LeftOut {
  /** 1 for each row whose day is pruned. */
  readonly late: Uint8Array;
  /** How many, by the index of their object. */
  readonly expired: ReadonlyMap<number, number>;
}

const NOTHING: LeftOut = { late: new Uint8Array(), expired: new Map() };

/** Whoever prunes moves the line while no batch is open, so it stands as long as the caller's transaction. */
export async function readKeeping(db: Queryable): Promise<Keeping> {
  const { rows } = await db.query<{ kept_from: Date | number }>("SELECT kept_from FROM etl.retention");
  return { keptFrom: Number(rows[0]?.kept_from) };
}

/** @param wanted 1 for each row to insert; what stays out is set to 0 */
export function leaveOut(
  { hourOfRow, objectOfRow }: EventChunk,
  wanted: Uint8Array,
  { keptFrom }: Keeping,
): LeftOut {
  if (keptFrom === Number.NEGATIVE_INFINITY) return NOTHING;
  const late = new Uint8Array(wanted.length);
  const expired = new Map<number, number>();
  for (const [row, hour] of hourOfRow.entries()) {
    if (!wanted[row] || hour >= keptFrom) continue;
    wanted[row] = 0;
    late[row] = 1;
    const object = objectOfRow[row] as number;
    expired.set(object, (expired.get(object) ?? 0) + 1);
  }
  return { late, expired };
}

/** Keeps late events for the lake, each once. */
export async function keepLate(db: Queryable, { rows }: EventChunk, { late }: LeftOut): Promise<void> {
  const some = rows.only(late);
  if (some.count === 0) return;
  await copyIntoStage(db, some);
  const columns = EVENT_COLUMNS.join(", ");
  await db.query(
    `INSERT INTO etl.late_events (${columns}) SELECT ${columns} FROM pg_temp.etl_stage ON CONFLICT (event_id) DO NOTHING`,
  );
}
