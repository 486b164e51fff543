import type { SourceObject } from "../types.js";
import type { Queryable } from "./warehouse.js";

/** What is remembered at most; a bucket with more of them has no order that would help. */
const MAX_OBJECTS = 1000;

/** The objects of a bucket that a run had no time to finish, newest first. */
export async function listUnfinished(
  db: Queryable,
  bucket: string,
): Promise<Pick<SourceObject, "key" | "etag">[]> {
  const { rows } = await db.query<{ key: string; etag: string }>(
    "SELECT key, etag FROM etl.unfinished WHERE bucket = $1 ORDER BY noted_at DESC LIMIT $2",
    [bucket, MAX_OBJECTS],
  );
  return rows;
}

export async function noteUnfinished(
  db: Queryable,
  runId: string,
  { bucket, key, etag }: SourceObject,
): Promise<void> {
  await db.query(
    `INSERT INTO etl.unfinished (bucket, key, etag, run_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT (bucket, key, etag) DO UPDATE SET run_id = excluded.run_id, noted_at = now()`,
    [bucket, key, etag, runId],
  );
}
