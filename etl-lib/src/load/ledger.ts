import type { EventCounts, SourceObject } from "../types.js";
import type { Queryable } from "./warehouse.js";

/** A row of the ledger that this transaction has taken. */
export interface Claim {
  /** Events of this object version that an earlier load inserted: not 0 only after a requeue. */
  readonly insertedBefore: number;
}

/**
 * Of `objects` (one bucket), those that no committed load has taken. One query, whatever their number; by key alone,
 * which stays an index or hash look-up also while the table has no statistics yet.
 */
export async function notYetLoaded(db: Queryable, objects: readonly SourceObject[]): Promise<SourceObject[]> {
  if (objects.length === 0) return [];
  const { rows } = await db.query<{ key: string; etag: string }>(
    "SELECT key, etag FROM etl.objects WHERE bucket = $1 AND key = ANY ($2::text[]) AND requeued_at IS NULL",
    [objects[0]?.bucket, objects.map(({ key }) => key)],
  );
  const loaded = new Set(rows.map(({ key, etag }) => `${etag} ${key}`));
  return objects.filter(({ key, etag }) => !loaded.has(`${etag} ${key}`));
}

/**
 * Takes the objects that nobody else has, waiting for a transaction that is about to. In the order of keys, so that
 * two runs never wait for each other crosswise.
 * @param expected the counts to write, index by index; corrected by `settle`
 * @returns claims by index in `objects`
 */
export async function claim(
  db: Queryable,
  runId: string,
  objects: readonly SourceObject[],
  expected: readonly EventCounts[],
): Promise<Map<number, Claim>> {
  const { rows } = await db.query<{ key: string; etag: string; inserted_before: string }>(
    `INSERT INTO etl.objects AS o
       (bucket, key, etag, size, last_modified, read, inserted, duplicates, rejected, run_id)
     SELECT $1, key, etag, size, last_modified, read, inserted, duplicates, rejected, $2
     FROM unnest($3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::bigint[], $8::bigint[], $9::bigint[],
       $10::bigint[]) AS t (key, etag, size, last_modified, read, inserted, duplicates, rejected)
     ORDER BY key, etag
     ON CONFLICT (bucket, key, etag) DO UPDATE SET requeued_at = NULL, run_id = excluded.run_id, loaded_at = now()
       WHERE o.requeued_at IS NOT NULL
     RETURNING key, etag, CASE WHEN xmax = 0 THEN 0 ELSE inserted END AS inserted_before`,
    [
      objects[0]?.bucket,
      runId,
      objects.map(({ key }) => key),
      objects.map(({ etag }) => etag),
      objects.map(({ size }) => size),
      objects.map(({ lastModified }) => lastModified.toISOString()),
      ...countColumns(expected),
    ],
  );
  const claimed = new Map(rows.map((row) => [`${row.etag} ${row.key}`, Number(row.inserted_before)]));
  const claims = new Map<number, Claim>();
  objects.forEach(({ key, etag }, index) => {
    const insertedBefore = claimed.get(`${etag} ${key}`);
    if (insertedBefore !== undefined) claims.set(index, { insertedBefore });
  });
  return claims;
}

/** Writes the counts of claimed objects where they turned out otherwise than expected. */
export async function settle(
  db: Queryable,
  objects: readonly SourceObject[],
  counts: readonly EventCounts[],
): Promise<void> {
  if (objects.length === 0) return;
  await db.query(
    `UPDATE etl.objects AS o
     SET read = t.read, inserted = t.inserted, duplicates = t.duplicates, rejected = t.rejected
     FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
       AS t (key, etag, read, inserted, duplicates, rejected)
     WHERE o.bucket = $1 AND o.key = ANY ($2) AND o.key = t.key AND o.etag = t.etag`,
    [
      objects[0]?.bucket,
      objects.map(({ key }) => key),
      objects.map(({ etag }) => etag),
      ...countColumns(counts),
    ],
  );
}

const countColumns = (counts: readonly EventCounts[]): number[][] => [
  counts.map(({ read }) => read),
  counts.map(({ inserted }) => inserted),
  counts.map(({ duplicates }) => duplicates),
  counts.map(({ rejected }) => rejected),
];

/** Whether this run loaded any of `objects`: a COMMIT whose answer was lost may have gone through. */
export async function isLoadedBy(
  db: Queryable,
  runId: string,
  objects: readonly SourceObject[],
): Promise<boolean> {
  const { rows } = await db.query<{ loaded: boolean }>(
    `SELECT EXISTS (SELECT FROM etl.objects WHERE bucket = $1 AND run_id = $2
       AND key = ANY ($3) AND (key, etag) IN (SELECT * FROM unnest($3::text[], $4::text[]))) AS loaded`,
    [objects[0]?.bucket, runId, objects.map(({ key }) => key), objects.map(({ etag }) => etag)],
  );
  return rows[0]?.loaded === true;
}
