import { toLoadError } from "./pg-errors.js";
import {
  BEGIN,
  CLEAR_ALL,
  CLEAR_HOURS,
  DAY_SPANS,
  FIND_STALE_DAYS,
  FOLLOW,
  HOUR_SPANS,
  MAX_HOURS,
  READ_DAYS,
  READ_HOURS,
  SUMMARIZE,
  TAKE_MARKS,
} from "./rollup-steps.js";
import { checkOut, type Queryable, type WarehouseClient, type WarehousePool } from "./warehouse.js";

/** What a refresh brought up to date. */
export interface RefreshResult {
  /** UTC hours read again from the raw rows; 0: nothing was stale. */
  readonly hours: number;
  /** Days, counted once per zone of `dw.zones` (and twice when two of its hours were refreshed in two steps). */
  readonly days: number;
  readonly durationMs: number;
}

interface Span {
  readonly lo: Date;
  readonly hi: Date;
}

/**
 * Notes in the caller's transaction that events of these hours may have been added: call it before that transaction
 * commits, with the transaction that inserted them.
 * @param hours starts of UTC hours, in milliseconds since 1970
 */
export async function markStale(db: Queryable, hours: Iterable<number>): Promise<void> {
  const starts = [...hours].map((hour) => new Date(hour).toISOString());
  if (starts.length === 0) return;
  await db.query("INSERT INTO dw.stale_hours (hour) SELECT unnest($1::timestamptz[])", [starts]);
}

/**
 * Brings the rollups up to date for every hour marked by a committed transaction, and their days, sessions and
 * products. Two at once wait for each other.
 * @throws {LoadError}
 */
export async function refreshRollups(pool: WarehousePool): Promise<RefreshResult> {
  const total = { hours: 0, days: 0, durationMs: 0 };
  let last: RefreshResult;
  do {
    last = await refreshStep(pool);
    total.hours += last.hours;
    total.days += last.days;
    total.durationMs += last.durationMs;
  } while (last.hours === MAX_HOURS);
  return total;
}

/**
 * One transaction of it, for the earliest hours, a week of them at most: a crash leaves rollups and marks as they were
 * before it.
 * @throws {LoadError}
 */
export async function refreshStep(pool: WarehousePool): Promise<RefreshResult> {
  await pool.query(SUMMARIZE).catch((error) => {
    throw toLoadError(error);
  });
  return refresh(pool, TAKE_MARKS);
}

/**
 * Makes all rollups anew from the raw rows. Readers see the old ones until it commits.
 * @throws {LoadError}
 */
export function rebuildRollups(pool: WarehousePool): Promise<RefreshResult> {
  return refresh(pool, CLEAR_ALL);
}

async function refresh(pool: WarehousePool, findStaleHours: string): Promise<RefreshResult> {
  const startedAt = performance.now();
  const client = await checkOut(pool).catch((error) => {
    throw toLoadError(error);
  });
  try {
    await client.query(BEGIN);
    await client.query(findStaleHours);
    await client.query(FIND_STALE_DAYS);
    const { hours, days } = await countStale(client);
    if (days > 0) await recompute(client);
    await client.query("COMMIT");
    client.release();
    return { hours, days, durationMs: Math.round(performance.now() - startedAt) };
  } catch (error) {
    client.release(true); // its transaction ends with it
    throw toLoadError(error);
  }
}

async function countStale(client: WarehouseClient): Promise<{ hours: number; days: number }> {
  const { rows } = await client.query<{ hours: number; days: number }>(
    "SELECT (SELECT count(*)::int FROM pg_temp.stale) AS hours, (SELECT count(*)::int FROM pg_temp.stale_days) AS days",
  );
  return rows[0] as { hours: number; days: number };
}

async function recompute(client: WarehouseClient): Promise<void> {
  await client.query(CLEAR_HOURS);
  for (const span of await spans(client, HOUR_SPANS))
    for (const read of READ_HOURS) await client.query(read, [span.lo, span.hi]);
  for (const span of await spans(client, DAY_SPANS)) await client.query(READ_DAYS, [span.lo, span.hi]);
  await client.query(FOLLOW);
}

async function spans(client: WarehouseClient, query: string): Promise<Span[]> {
  return (await client.query<Span>(query)).rows;
}
