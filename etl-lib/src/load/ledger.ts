import { noEvents } from "../counts.js";
import type { EventSpan } from "../times.js";
import type { EventCounts, SourceObject } from "../types.js";
import { assertKept } from "./pg-errors.js";
import type { Queryable } from "./warehouse.js";

/** What the ledger says of an object version. */
export interface LedgerEntry extends EventCounts, EventSpan {}

export const noEntry = (): LedgerEntry => ({ ...noEvents(), firstEventAt: null, lastEventAt: null });

/** A row of the ledger that this transaction has taken. */
export interface Claim {
  /** What an earlier load of this object version counted; null unless it is loaded again. */
  readonly before: EventCounts | null;
}

/**
 * Of `objects` (one bucket), those that no committed load has taken. One query, whatever their number; by key alone,
 * which stays an index or hash look-up also while the table has no statistics yet.
 */
export async function notYetLoaded(db: Queryable, objects: readonly SourceObject[]): Promise<SourceObject[]> {
  if (objects.length === 0) return [];
  const { rows } = await db.query<{ key: string; etag: string }>(
    "SELECT key, etag FROM etl.objects WHERE bucket = $1 AND key = ANY ($2::text[])",
    [objects[0]?.bucket, objects.map(({ key }) => key)],
  );
  const loaded = new Set(rows.map(({ key, etag }) => `${etag} ${key}`));
  return objects.filter(({ key, etag }) => !loaded.has(`${etag} ${key}`));
}

const ENTRY = "read, inserted, duplicates, rejected, expired, erased, first_event_at, last_event_at";

/**
 * Takes the objects that nobody else has, waiting for a transaction that is about to. In their order, which is that
 * of keys in every batch, so that two runs never wait for each other crosswise. What older versions of them, or earlier
 * loads, left in quarantine no longer stands: what this load rejects does.
 * @param expected the counts to write, index by index; corrected by `settle`
 * @param reload takes them also when another run has loaded them
 * @returns claims by index in `objects`
 * @throws {LoadError} fatal, when the ledger did not keep what was written
 */
export async function claim(
  db: Queryable,
  runId: string,
  objects: readonly SourceObject[],
  expected: readonly LedgerEntry[],
  reload = false,
): Promise<Map<number, Claim>> {
  const { rows } = await db.query<ClaimedRow>(
    `INSERT INTO etl.objects AS o
       (bucket, key, etag, size, last_modified, ${ENTRY}, run_id)
     SELECT $1, key, etag, size, last_modified, ${ENTRY}, $2
     FROM unnest($3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::bigint[], $8::bigint[], $9::bigint[],
       $10::bigint[], $11::bigint[], $12::bigint[], $13::timestamptz[], $14::timestamptz[]) WITH ORDINALITY
       AS t (key, etag, size, last_modified, ${ENTRY}, at)
     ORDER BY at
     ON CONFLICT (bucket, key, etag) DO UPDATE SET run_id = excluded.run_id, loaded_at = now()
       WHERE $15 AND o.run_id <> excluded.run_id
     RETURNING key, etag, old.read::float8 AS read, old.inserted::float8 AS inserted,
       old.duplicates::float8 AS duplicates, old.rejected::float8 AS rejected, old.expired::float8 AS expired,
       old.erased::float8 AS erased,
       EXISTS (SELECT FROM etl.rejects r WHERE r.bucket = o.bucket AND r.key = o.key AND r.requeued_at IS NULL)
         AS has_rejects`,
    [
      objects[0]?.bucket,
      runId,
      objects.map(({ key }) => key),
      objects.map(({ etag }) => etag),
      objects.map(({ size }) => size),
      objects.map(({ lastModified }) => lastModified.toISOString()),
      ...entryColumns(expected),
      reload,
    ],
  );
  const claimed = new Map(rows.map((row) => [`${row.etag} ${row.key}`, row]));
  const claims = new Map<number, Claim>();
  objects.forEach(({ key, etag }, index) => {
    const row = claimed.get(`${etag} ${key}`);
    if (!row) return;
    const { read, inserted, duplicates, rejected, expired, erased } = row;
    claims.set(index, {
      before: read === null ? null : { read, inserted, duplicates, rejected, expired, erased },
    });
  });
  if (claims.size < objects.length) await assertTaken(db, objects);
  const cleared = objects.filter(({ key, etag }) => claimed.get(`${etag} ${key}`)?.has_rejects);
  if (cleared.length > 0) await supersedeRejects(db, cleared);
  return claims;
}

type ClaimedRow = EventCounts & { key: string; etag: string; read: number | null; has_rejects: boolean };

/** What could not be claimed is in the ledger already, unless something keeps rows from being inserted there. */
async function assertTaken(db: Queryable, objects: readonly SourceObject[]): Promise<void> {
  const taken = objects.length - (await notYetLoaded(db, objects)).length;
  assertKept("etl.objects", taken, objects.length);
}

/** An older version that was loaded late leaves the rejects of a newer one alone. */
async function supersedeRejects(db: Queryable, objects: readonly SourceObject[]): Promise<void> {
  await db.query(
    `UPDATE etl.rejects AS r SET requeued_at = now()
     FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS t (key, etag, last_modified)
     WHERE r.bucket = $1 AND r.key = ANY ($2) AND r.key = t.key AND r.requeued_at IS NULL AND (r.etag = t.etag OR NOT EXISTS (
       SELECT FROM etl.objects o
       WHERE o.bucket = r.bucket AND o.key = r.key AND o.etag = r.etag AND o.last_modified > t.last_modified))`,
    [
      objects[0]?.bucket,
      objects.map(({ key }) => key),
      objects.map(({ etag }) => etag),
      objects.map(({ lastModified }) => lastModified.toISOString()),
    ],
  );
}

/** Writes the counts of claimed objects where they turned out otherwise than expected. */
export async function settle(
  db: Queryable,
  objects: readonly SourceObject[],
  entries: readonly LedgerEntry[],
): Promise<void> {
  if (objects.length === 0) return;
  await db.query(
    `UPDATE etl.objects AS o
     SET read = t.read, inserted = t.inserted, duplicates = t.duplicates, rejected = t.rejected, expired = t.expired,
       erased = t.erased, first_event_at = t.first_event_at, last_event_at = t.last_event_at
     FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
       $9::bigint[], $10::timestamptz[], $11::timestamptz[]) AS t (key, etag, ${ENTRY})
     WHERE o.bucket = $1 AND o.key = ANY ($2) AND o.key = t.key AND o.etag = t.etag`,
    [
      objects[0]?.bucket,
      objects.map(({ key }) => key),
      objects.map(({ etag }) => etag),
      ...entryColumns(entries),
    ],
  );
}

const entryColumns = (entries: readonly LedgerEntry[]): unknown[][] => [
  entries.map(({ read }) => read),
  entries.map(({ inserted }) => inserted),
  entries.map(({ duplicates }) => duplicates),
  entries.map(({ rejected }) => rejected),
  entries.map(({ expired }) => expired),
  entries.map(({ erased }) => erased),
  entries.map(({ firstEventAt }) => timestamp(firstEventAt)),
  entries.map(({ lastEventAt }) => timestamp(lastEventAt)),
];

const timestamp = (time: number | null): string | null =>
  time === null ? null : new Date(time).toISOString();

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
