import { inTransaction, type Queryable, type WarehousePool } from "../load/warehouse.js";
import type { RejectCause, Source, SourceObject, SourcePage } from "../types.js";

/** Narrows what is listed or requeued; what is absent does not narrow. */
export interface RejectFilter {
  readonly cause?: RejectCause | undefined;
  /** Key of the object. */
  readonly key?: string | undefined;
  readonly since?: Date | undefined;
}

export interface RejectRow {
  readonly bucket: string;
  readonly key: string;
  readonly position: number;
  readonly cause: RejectCause;
  readonly detail: string;
  readonly raw: string;
  readonly rejectedAt: Date;
  readonly requeuedAt: Date | null;
}

/** Quarantine, newest first. */
export async function listRejects(
  db: Queryable,
  filter: RejectFilter & { readonly limit: number },
): Promise<RejectRow[]> {
  const { rows } = await db.query<RejectRow>(
    `SELECT bucket, key, position::int, cause, detail, raw, rejected_at AS "rejectedAt", requeued_at AS "requeuedAt"
     FROM etl.rejects
     WHERE ($1::text IS NULL OR cause = $1) AND ($2::text IS NULL OR key = $2)
       AND ($3::timestamptz IS NULL OR rejected_at >= $3)
     ORDER BY rejected_at DESC, reject_id DESC LIMIT $4`,
    [filter.cause ?? null, filter.key ?? null, filter.since?.toISOString() ?? null, filter.limit],
  );
  return rows;
}

export interface Requeued {
  /** To be read again: by the next run over their window, or at once from `only(source, objects)`. */
  readonly objects: readonly SourceObject[];
  /** Their version is no longer in the source; their rejects stay as they are. */
  readonly gone: readonly string[];
}

/**
 * Marks the objects whose rejects match as not loaded. Reading them again adds what was rejected and is right now;
 * what was inserted before is met as a duplicate.
 */
export async function requeueRejects(
  pool: WarehousePool,
  source: Source,
  filter: RejectFilter,
): Promise<Requeued> {
  const { rows } = await pool.query<{ key: string; etag: string }>(
    `SELECT DISTINCT key, etag FROM etl.rejects
     WHERE bucket = $1 AND requeued_at IS NULL AND ($2::text IS NULL OR cause = $2) AND ($3::text IS NULL OR key = $3)
     ORDER BY key, etag`,
    [source.bucket, filter.cause ?? null, filter.key ?? null],
  );
  const objects: SourceObject[] = [];
  const gone: string[] = [];
  for (const { key, etag } of rows) {
    const object = await find(source, key, etag);
    if (object) objects.push(object);
    else gone.push(key);
  }
  await markRequeued(pool, source.bucket, objects);
  return { objects, gone };
}

async function find(source: Source, key: string, etag: string): Promise<SourceObject | undefined> {
  for await (const { objects } of source.list(key)) {
    const object = objects.find((candidate) => candidate.key === key && candidate.etag === etag);
    if (object) return object;
  }
  return undefined;
}

async function markRequeued(
  pool: WarehousePool,
  bucket: string,
  objects: readonly SourceObject[],
): Promise<void> {
  const values = [bucket, objects.map(({ key }) => key), objects.map(({ etag }) => etag)];
  const matches = `bucket = $1 AND requeued_at IS NULL AND key = ANY ($2)
    AND (key, etag) IN (SELECT * FROM unnest($2::text[], $3::text[]))`;
  await inTransaction(pool, async (client) => {
    await client.query(`UPDATE etl.objects SET requeued_at = now() WHERE ${matches}`, values);
    await client.query(`UPDATE etl.rejects SET requeued_at = now() WHERE ${matches}`, values);
  });
}

/** The source with nothing in it but `objects`. */
export function only(source: Source, objects: readonly SourceObject[]): Source {
  return {
    bucket: source.bucket,
    async *list(): AsyncGenerator<SourcePage> {
      yield { objects, folders: [] };
    },
    read: (object) => source.read(object),
  };
}
