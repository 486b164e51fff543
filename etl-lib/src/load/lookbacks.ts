import { inTransaction, type Queryable, type WarehousePool } from "./warehouse.js";

/** How far the look-back of a bucket is. */
export interface LookbackState {
  readonly since: Date;
  readonly sweptAt: Date | null;
  readonly sweepEndedAt: Date | null;
  readonly sweepStartedAt: Date | null;
  readonly sweepFrom: Date | null;
  readonly runId: string | null;
  readonly runStartedAt: Date | null;
  readonly runEnded: boolean;
  readonly sealedTo: Date | null;
}

export interface Sweep {
  readonly startedAt: Date;
  readonly from: Date;
}

/** A listing that is remembered. */
export interface ListedBefore {
  readonly listedAt: Date;
  readonly again: boolean;
}

const STATE = `SELECT since, swept_at AS "sweptAt", sweep_ended_at AS "sweepEndedAt", sweep_started_at AS "sweepStartedAt",
  sweep_from AS "sweepFrom", run_id AS "runId", run_started_at AS "runStartedAt", run_ended AS "runEnded",
  sealed_to AS "sealedTo" FROM etl.lookbacks WHERE bucket = $1`;

/** Null before the bucket's first run with a look-back. */
export async function readLookback(db: Queryable, bucket: string): Promise<LookbackState | null> {
  return (await db.query<LookbackState>(STATE, [bucket])).rows[0] ?? null;
}

/**
 * Notes the run as one that has not ended, and the sweep it has part in. Two at once wait for each other.
 * @param sweepOf told how things stand, says which sweep is under way; null: none
 */
export function beginLookback(
  pool: WarehousePool,
  run: { readonly bucket: string; readonly runId: string; readonly now: Date },
  sweepOf: (state: LookbackState) => Sweep | null,
): Promise<{ readonly sweep: Sweep | null; readonly listed: ReadonlyMap<string, ListedBefore> }> {
  const { bucket, runId, now } = run;
  return inTransaction(pool, async (client) => {
    await client.query("INSERT INTO etl.lookbacks (bucket, since) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
      bucket,
      now.toISOString(),
    ]);
    const { rows } = await client.query<LookbackState>(`${STATE} FOR UPDATE`, [bucket]);
    const sweep = sweepOf(rows[0] as LookbackState);
    await client.query(
      `UPDATE etl.lookbacks SET run_id = $2, run_started_at = $3, run_ended = false, sweep_started_at = $4, sweep_from = $5
       WHERE bucket = $1`,
      [
        bucket,
        runId,
        now.toISOString(),
        sweep?.startedAt.toISOString() ?? null,
        sweep?.from.toISOString() ?? null,
      ],
    );
    const listings = await client.query<ListedBefore & { prefix: string }>(
      `SELECT prefix, listed_at AS "listedAt", again FROM etl.listings WHERE bucket = $1`,
      [bucket],
    );
    return { sweep, listed: new Map(listings.rows.map((row) => [row.prefix, row])) };
  });
}

/** @param listedAt when the run began that listed it */
export async function noteListed(
  db: Queryable,
  bucket: string,
  { prefix, listedAt, again }: { readonly prefix: string; readonly listedAt: Date; readonly again: boolean },
): Promise<void> {
  await db.query(
    `INSERT INTO etl.listings AS l (bucket, prefix, listed_at, again) VALUES ($1, $2, $3, $4)
     ON CONFLICT (bucket, prefix) DO UPDATE SET listed_at = excluded.listed_at, again = excluded.again
     WHERE l.listed_at <= excluded.listed_at`,
    [bucket, prefix, listedAt.toISOString(), again],
  );
}

/**
 * Ends the sweep when all of its hours and days are listed since it began.
 * @param prefixes of these hours and days
 * @returns whether it has ended
 */
export async function endSweep(
  db: Queryable,
  bucket: string,
  { startedAt, prefixes, now }: { startedAt: Date; prefixes: readonly string[]; now: Date },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE etl.lookbacks SET swept_at = sweep_started_at, sweep_ended_at = $4, sweep_started_at = NULL, sweep_from = NULL
     WHERE bucket = $1 AND sweep_started_at = $2 AND NOT EXISTS (
       SELECT FROM unnest($3::text[]) AS t (prefix) LEFT JOIN etl.listings l ON l.bucket = $1 AND l.prefix = t.prefix
       WHERE l.listed_at IS NULL OR l.listed_at < $2)`,
    [bucket, startedAt.toISOString(), prefixes, now.toISOString()],
  );
  return rowCount === 1;
}

/** @param well nothing is left to do of what the run set out to do */
export async function endRun(db: Queryable, bucket: string, runId: string, well: boolean): Promise<void> {
  await db.query(
    `UPDATE etl.lookbacks SET run_id = CASE WHEN $3 THEN NULL ELSE run_id END, run_ended = true
     WHERE bucket = $1 AND run_id = $2`,
    [bucket, runId, well],
  );
}

/** Of the listings from `prefix` on the oldest one that has to be made again; null: none. */
export async function oldestAgain(db: Queryable, bucket: string, prefix: string): Promise<string | null> {
  const { rows } = await db.query<{ prefix: string | null }>(
    "SELECT min(prefix) AS prefix FROM etl.listings WHERE bucket = $1 AND again AND prefix >= $2",
    [bucket, prefix],
  );
  return rows[0]?.prefix ?? null;
}

/** Also forgets the listings of days that nobody looks back to any more. */
export async function noteSealed(db: Queryable, bucket: string, to: Date, before: string): Promise<void> {
  await db.query("UPDATE etl.lookbacks SET sealed_to = greatest(sealed_to, $2) WHERE bucket = $1", [
    bucket,
    to.toISOString(),
  ]);
  await db.query("DELETE FROM etl.listings WHERE bucket = $1 AND prefix < $2", [bucket, before]);
}
