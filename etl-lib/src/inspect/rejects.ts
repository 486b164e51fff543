import pMap from "p-map";
import { PlanError } from "../errors.js";
import type { Queryable } from "../load/warehouse.js";
import type { RejectCause, Source, SourceObject, SourcePage } from "../types.js";

/** Narrows what is listed or read again; what is absent does not narrow. */
export interface RejectFilter {
  readonly cause?: RejectCause | undefined;
  /** Key of the object. */
  readonly key?: string | undefined;
  readonly since?: Date | undefined;
}

export interface RejectRow {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly position: number;
  readonly cause: RejectCause;
  readonly detail: string;
  readonly raw: string;
  readonly rejectedAt: Date;
  /** When its object, or a newer version of it, was read again: the reject no longer stands. */
  readonly requeuedAt: Date | null;
  /** When someone said that nothing more is to be done about it. */
  readonly resolvedAt: Date | null;
}

const COLUMNS = `reject_id::text AS id, bucket, key, position::float8, cause, detail, raw, rejected_at AS "rejectedAt",
  requeued_at AS "requeuedAt", resolved_at AS "resolvedAt"`;

/** Quarantine, newest first. @param filter.all also what no longer stands, or is resolved @default false */
export async function listRejects(
  db: Queryable,
  filter: RejectFilter & { readonly limit: number; readonly all?: boolean | undefined },
): Promise<RejectRow[]> {
  const { rows } = await db.query<RejectRow>(
    `SELECT ${COLUMNS} FROM etl.rejects
     WHERE ($1::text IS NULL OR cause = $1) AND ($2::text IS NULL OR key = $2)
       AND ($3::timestamptz IS NULL OR rejected_at >= $3) AND ($4 OR (requeued_at IS NULL AND resolved_at IS NULL))
     ORDER BY rejected_at DESC, reject_id DESC LIMIT $5`,
    [
      filter.cause ?? null,
      filter.key ?? null,
      filter.since?.toISOString() ?? null,
      filter.all ?? false,
      filter.limit,
    ],
  );
  return rows;
}

export async function findReject(db: Queryable, id: number): Promise<RejectRow | undefined> {
  const { rows } = await db.query<RejectRow>(`SELECT ${COLUMNS} FROM etl.rejects WHERE reject_id = $1`, [id]);
  return rows[0];
}

/** Says of rejects that nothing more is to be done about them. They stay, and so do the counts. @returns how many */
export async function resolveRejects(
  db: Queryable,
  filter: Omit<RejectFilter, "since"> & { readonly id?: number | undefined },
): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE etl.rejects SET resolved_at = now()
     WHERE requeued_at IS NULL AND resolved_at IS NULL AND ($1::bigint IS NULL OR reject_id = $1)
       AND ($2::text IS NULL OR cause = $2) AND ($3::text IS NULL OR key = $3)`,
    [filter.id ?? null, filter.cause ?? null, filter.key ?? null],
  );
  return rowCount ?? 0;
}

const PAGE = 1000;
const LOOK_UPS_AT_ONCE = 16;

/**
 * The source with nothing in it but the objects whose rejects stand and match, as they are now: a run with `reload`
 * over it reads them again. Nothing is written before that run's batches, so a crash anywhere leaves nothing half done.
 * @param onGone told the keys that the source no longer holds; their rejects stay as they are
 */
export function rejectedObjects(
  db: Queryable,
  source: Source,
  filter: RejectFilter,
  onGone: (key: string) => void,
): Source {
  return {
    bucket: source.bucket,
    async *list(): AsyncGenerator<SourcePage> {
      for await (const keys of rejectedKeys(db, source.bucket, filter)) {
        const objects = await pMap(
          keys,
          async (key) => {
            const object = await findObject(source, key);
            if (!object) onGone(key);
            return object;
          },
          { concurrency: LOOK_UPS_AT_ONCE },
        );
        yield { objects: objects.filter((object) => object !== undefined), folders: [] };
      }
    },
    read: (object) => source.read(object),
  };
}

/** Page by page behind the last key: a run that reads them takes them out of quarantine meanwhile. */
async function* rejectedKeys(db: Queryable, bucket: string, filter: RejectFilter): AsyncGenerator<string[]> {
  for (let last = ""; ; ) {
    const { rows } = await db.query<{ key: string }>(
      `SELECT DISTINCT key FROM etl.rejects
       WHERE bucket = $1 AND requeued_at IS NULL AND ($2::text IS NULL OR cause = $2) AND ($3::text IS NULL OR key = $3)
         AND key > $4
       ORDER BY key LIMIT ${PAGE}`,
      [bucket, filter.cause ?? null, filter.key ?? null, last],
    );
    if (rows.length === 0) return;
    yield rows.map(({ key }) => key);
    last = rows.at(-1)?.key as string;
  }
}

/**
 * The source with nothing in it but the object of this key.
 * @throws {PlanError} fatal, when it is not there
 */
export async function objectOf(source: Source, key: string): Promise<Source> {
  const object = await findObject(source, key);
  if (!object) throw new PlanError("fatal", `${source.bucket} holds no object ${key}.`);
  return {
    bucket: source.bucket,
    async *list(): AsyncGenerator<SourcePage> {
      yield { objects: [object], folders: [] };
    },
    read: (object) => source.read(object),
  };
}

async function findObject(source: Source, key: string): Promise<SourceObject | undefined> {
  for await (const { objects } of source.list(key, { shallow: true })) {
    const object = objects.find((candidate) => candidate.key === key);
    if (object) return object;
  }
  return undefined;
}
