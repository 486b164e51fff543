import { LakeError } from "../errors.js";
import { toLoadError } from "../load/pg-errors.js";
import { checkOut, type Queryable, type WarehouseClient, type WarehousePool } from "../load/warehouse.js";
import type { Content } from "./lake-file.js";
import type { StoredFile } from "./store.js";

/** The same number in etl.freeze_export. */
const LAKE_LOCK = 7263003;

/** A file of the lake, as `etl.exports` knows it. */
export interface ExportRow extends Content, Sums {
  /** `2025-12-06` */
  readonly day: string;
  readonly part: number;
  readonly key: string;
}

/** As etl.loaded_hours sums rows. Text: they pass what a number holds. */
export interface Sums {
  readonly rows: number;
  readonly ids: string;
  readonly details: number;
}

/**
 * Runs `work` while nobody else writes the lake.
 * @returns null: somebody else does
 */
export async function aloneInLake<T>(
  pool: WarehousePool,
  work: (client: WarehouseClient) => Promise<T>,
): Promise<T | null> {
  const client = await checkOut(pool).catch((error) => {
    throw toLoadError(error);
  });
  try {
    const { rows } = await client.query(`SELECT pg_try_advisory_lock(${LAKE_LOCK}) AS mine`);
    const result = rows[0].mine ? await work(client) : null;
    if (rows[0].mine) await client.query(`SELECT pg_advisory_unlock(${LAKE_LOCK})`);
    client.release();
    return result;
  } catch (error) {
    client.release(true); // the lock ends with it
    throw error instanceof LakeError ? error : toLoadError(error);
  }
}

/** A day is left as it was, with the connection in order: the next one can be exported. */
export class DaySkipped extends LakeError {}

/** In one snapshot of the table, however long it takes; the file is recorded in the same transaction. */
export async function inSnapshot<T>(client: WarehouseClient, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    // Any other error may have come in the middle of a COPY: the connection is then closed, and answers nothing until that.
    if (error instanceof DaySkipped) await client.query("ROLLBACK");
    throw error;
  }
}

/** Closed days whose file is missing or stale, and that the table still holds whole; oldest first. */
export async function staleDays(db: Queryable, before: string): Promise<string[]> {
  const { rows } = await db.query<{ day: string }>(
    `SELECT day::text FROM etl.lake_days d WHERE stale AND day < $1
       AND NOT EXISTS (SELECT FROM etl.loaded_hours WHERE cause = 'pruned'
         AND hour >= d.day::timestamp AT TIME ZONE 'UTC' AND hour < (d.day + 1)::timestamp AT TIME ZONE 'UTC')
     ORDER BY day`,
    [before],
  );
  return rows.map(({ day }) => day);
}

/** Days with late events whose table rows are gone or frozen in their file; oldest first. */
export async function lateDays(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ day: string }>(
    `SELECT DISTINCT (event_timestamp AT TIME ZONE 'UTC')::date::text AS day FROM etl.late_events
     EXCEPT SELECT day::text FROM etl.lake_days WHERE rows > 0 AND pruned_at IS NULL ORDER BY day`,
  );
  return rows.map(({ day }) => day);
}

/** The files of a day, or of all days. */
export async function listExports(db: Queryable, day?: string): Promise<ExportRow[]> {
  const { rows } = await db.query<ExportRow>(
    `SELECT day::text, part, key, rows::float8, ids::text, details::float8, checksum FROM etl.exports
     WHERE $1::date IS NULL OR day = $1 ORDER BY day, part`,
    [day ?? null],
  );
  return rows;
}

/** Notes a file whose content was read back. */
export async function recordExport(
  db: Queryable,
  { day, part, key, rows, ids, details, checksum, bytes, etag }: ExportRow & StoredFile,
): Promise<void> {
  await db.query(
    `INSERT INTO etl.exports (day, part, key, rows, ids, details, checksum, bytes, etag, verified_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now())
     ON CONFLICT (day, part) DO UPDATE SET key = excluded.key, rows = excluded.rows, ids = excluded.ids,
       details = excluded.details, checksum = excluded.checksum, bytes = excluded.bytes, etag = excluded.etag,
       exported_at = now(), verified_at = now()`,
    [day, part, key, rows, ids, details, checksum, bytes, etag],
  );
}

/** What loads brought of a day, and what the table holds of it, as the caller's snapshot sees them. */
export async function sumsOf(db: Queryable, day: string): Promise<{ loaded: Sums; there: Sums }> {
  const { rows } = await db.query<Record<string, string>>(
    `WITH span AS (SELECT $1::timestamp AT TIME ZONE 'UTC' AS lo, ($1::date + 1)::timestamp AT TIME ZONE 'UTC' AS hi)
     SELECT l.rows AS loaded, l.ids AS "loadedIds", l.details AS "loadedDetails", t.rows, t.ids, d.details FROM
       (SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(ids), 0) AS ids, coalesce(sum(details), 0) AS details
        FROM etl.loaded_hours, span WHERE hour >= lo AND hour < hi) l,
       (SELECT count(*) AS rows, coalesce(sum(uuid_hash(event_id)::bigint), 0) AS ids
        FROM public.clickstream_events, span WHERE event_timestamp >= lo AND event_timestamp < hi) t,
       (SELECT count(*) AS details
        FROM public.clickstream_event_details, span WHERE event_timestamp >= lo AND event_timestamp < hi) d`,
    [day],
  );
  const { loaded, loadedIds = "", loadedDetails, rows: there, ids = "", details } = rows[0] ?? {};
  return {
    loaded: { rows: Number(loaded), ids: loadedIds, details: Number(loadedDetails) },
    there: { rows: Number(there), ids, details: Number(details) },
  };
}
