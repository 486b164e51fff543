import { EtlError, LoadError } from "../errors.js";
import { readLine } from "./left-out.js";
import { firstOf, pgFault, toLoadError } from "./pg-errors.js";
import {
  BEGIN,
  beginRebuild,
  CLEAR_HOURS,
  COUNT_BLOCKS,
  DAY_SPANS,
  END_REBUILD,
  FIND_STALE_DAYS,
  FOLLOW,
  FOLLOW_LABELS,
  HOUR_SPANS,
  IS_DONE,
  JOIN_AS_PLANNED,
  JOIN_BY_HASH,
  MARK_BLOCKS,
  MAX_HOURS,
  READ_DAYS,
  READ_HOURS,
  READ_LABELS,
  SUMMARIZE,
  takeMarks,
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

export interface RefreshOptions {
  /** How long the refresh may still take, in milliseconds. @default no longer than the connection lets a statement take */
  readonly remainingMs?: () => number;
}

/** Of a person who waits for it: no statement is cut off. */
export const UNHURRIED: RefreshOptions = { remainingMs: () => Number.POSITIVE_INFINITY };

/** The refresh waited too long for a lock, or took too long: no failure that trying again at once would cure. */
export const isPatienceOver = (error: unknown): boolean =>
  error instanceof RefreshStopped || (error instanceof EtlError && isTimeout(error.cause));

const isTimeout = (cause: unknown): boolean =>
  pgFault(cause) === "cut-off" || firstOf(cause).code === LOCK_NOT_AVAILABLE;
const LOCK_NOT_AVAILABLE = "55P03";

class RefreshStopped extends LoadError {
  constructor() {
    super("retriable", "The time was up before the rollups were refreshed: the next run goes on with them.");
  }
}

/** A GiB. */
const BLOCKS_AT_ONCE = 131_072;

/** A step that was cut off is tried again with so much less. */
const SMALLER = 8;

/**
 * Brings the rollups up to date for every hour marked by a committed transaction, and their days, sessions and
 * products, and makes the days of a new zone: step by step, each a transaction, so that whatever stops it, the next
 * refresh goes on from there. Two at once wait for each other.
 * @throws {LoadError}
 */
export async function refreshRollups(
  pool: WarehousePool,
  options: RefreshOptions = {},
): Promise<RefreshResult> {
  const total = { hours: 0, days: 0, durationMs: 0 };
  let most = MAX_HOURS;
  for (let isDone = false; !isDone; ) {
    const step = await refreshStep(pool, options, most).catch((error: EtlError) => {
      if (pgFault(error.cause) !== "cut-off" || most === 1) throw error;
      most = Math.ceil(most / SMALLER);
      return null;
    });
    if (!step) continue;
    total.hours += step.hours;
    total.days += step.days;
    total.durationMs += step.durationMs;
    isDone = step.isDone;
  }
  return total;
}

/**
 * One transaction of it, for the earliest hours, a week of them at most: a crash leaves rollups and marks as they were
 * before it.
 * @throws {LoadError}
 */
export async function refreshStep(
  pool: WarehousePool,
  options: RefreshOptions = {},
  mostHours = MAX_HOURS,
): Promise<RefreshResult & { readonly isDone: boolean }> {
  const startedAt = performance.now();
  await pool.query(SUMMARIZE).catch((error) => {
    throw toLoadError(error);
  });
  return alone(pool, options, async (client) => {
    await client.query(takeMarks(mostHours));
    await client.query(FIND_STALE_DAYS);
    const { hours, days } = await countStale(client);
    if (days > 0) await recompute(client);
    await client.query(END_REBUILD);
    const { rows } = await client.query<{ done: boolean }>(IS_DONE);
    const durationMs = Math.round(performance.now() - startedAt);
    return { hours, days, isDone: rows[0]?.done === true, durationMs };
  });
}

/**
 * Rebuilds all rollups from the raw rows, hour by hour in their place. What a rebuild that was stopped left is done by
 * the next refresh.
 * @throws {LoadError}
 */
export async function rebuildRollups(
  pool: WarehousePool,
  options: RefreshOptions = {},
): Promise<RefreshResult> {
  await alone(pool, options, async (client) => {
    const keptFrom = await readLine(client);
    await client.query(beginRebuild(keptFrom !== Number.NEGATIVE_INFINITY));
    const { rows } = await client.query<{ blocks: number }>(COUNT_BLOCKS);
    for (let from = 0; from <= (rows[0]?.blocks ?? 0); from += BLOCKS_AT_ONCE)
      await client.query(MARK_BLOCKS, [from, from + BLOCKS_AT_ONCE]);
  });
  return refreshRollups(pool, options);
}

/** Runs `work` in a transaction that no other refresh runs beside. */
async function alone<T>(
  pool: WarehousePool,
  { remainingMs }: RefreshOptions,
  work: (client: WarehouseClient) => Promise<T>,
): Promise<T> {
  const client = await checkOut(pool).catch((error) => {
    throw toLoadError(error);
  });
  try {
    await client.query(BEGIN);
    if (remainingMs) await limitStatements(client, remainingMs());
    const result = await work(client);
    await client.query("COMMIT");
    client.release();
    return result;
  } catch (error) {
    client.release(true); // its transaction ends with it
    throw toLoadError(error);
  }
}

async function limitStatements(client: WarehouseClient, remainingMs: number): Promise<void> {
  if (remainingMs <= 0) throw new RefreshStopped();
  const timeoutMs = remainingMs === Number.POSITIVE_INFINITY ? 0 : Math.ceil(remainingMs);
  await client.query(`SET LOCAL statement_timeout = ${timeoutMs}`);
}

async function countStale(client: WarehouseClient): Promise<{ hours: number; days: number }> {
  const { rows } = await client.query<{ hours: number; days: number }>(
    "SELECT (SELECT count(*)::int FROM pg_temp.stale) AS hours, (SELECT count(*)::int FROM pg_temp.stale_days) AS days",
  );
  return rows[0] as { hours: number; days: number };
}

async function recompute(client: WarehouseClient): Promise<void> {
  await client.query(CLEAR_HOURS);
  const hours = await spans(client, HOUR_SPANS);
  for (const span of hours) await client.query(READ_LABELS, [span.lo, span.hi]);
  await client.query(FOLLOW_LABELS);
  await client.query(JOIN_BY_HASH);
  for (const span of hours) for (const read of READ_HOURS) await client.query(read, [span.lo, span.hi]);
  await client.query(JOIN_AS_PLANNED);
  for (const span of await spans(client, DAY_SPANS)) await client.query(READ_DAYS, [span.lo, span.hi]);
  await client.query(FOLLOW);
}

async function spans(client: WarehouseClient, query: string): Promise<Span[]> {
  return (await client.query<Span>(query)).rows;
}
