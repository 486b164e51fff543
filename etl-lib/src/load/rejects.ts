import type { Reject, SourceObject } from "../types.js";
import { assertKept } from "./pg-errors.js";
import type { Queryable } from "./warehouse.js";

const REJECTS_PER_INSERT = 500;
/** Of a reject that names a person who was erased. */
export const ERASED_TEXT = { raw: "", detail: "Its text named a person who was erased." } as const;

/** Writes rejects into quarantine. @param rejects each with the index of its object in `objects` */
export async function insertRejects(
  db: Queryable,
  runId: string,
  objects: readonly SourceObject[],
  rejects: readonly (Reject & { readonly object: number })[],
): Promise<void> {
  for (let from = 0; from < rejects.length; from += REJECTS_PER_INSERT) {
    const some = rejects.slice(from, from + REJECTS_PER_INSERT);
    const of = some.map(({ object }) => objects[object] as SourceObject);
    const { rowCount } = await db.query(
      `INSERT INTO etl.rejects (bucket, key, etag, position, cause, detail, raw, records, run_id)
       SELECT $1, key, etag, position, cause, detail, raw, records, $2
       FROM unnest($3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::bigint[])
         AS t (key, etag, position, cause, detail, raw, records)`,
      [
        of[0]?.bucket,
        runId,
        of.map(({ key }) => key),
        of.map(({ etag }) => etag),
        some.map(({ position }) => position),
        some.map(({ cause }) => cause),
        some.map(({ detail }) => holdable(detail)),
        some.map(({ raw }) => holdable(raw)),
        some.map(({ records }) => records),
      ],
    );
    assertKept("etl.rejects", rowCount, some.length);
  }
}

/** PostgreSQL's text holds neither U+0000 nor half a surrogate pair. */
const holdable = (text: string): string => text.replaceAll("\0", "\u2400").toWellFormed();
