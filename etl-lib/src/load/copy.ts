import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pgCopy from "pg-copy-streams";
import type { EncodedRows } from "../rows/copy-buffer.js";
import { DETAIL_COLUMNS, EVENT_COLUMNS } from "../types.js";
import { assertKept } from "./pg-errors.js";
import type { Queryable } from "./warehouse.js";

const WRITE_BYTES = 64 * 1024;
/** Signature, no flags, no further header. */
const HEADER = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const TRAILER = Buffer.from([0xff, 0xff]);

/** Into the table. Fails as a whole with 23505 when any of the events is there already. */
export const copyIntoEvents = (client: Queryable, rows: EncodedRows): Promise<void> =>
  copy(client, "public.clickstream_events", EVENT_COLUMNS, rows);

/** Beside events that this transaction inserted, or that have no details yet. */
export const copyIntoDetails = (client: Queryable, rows: EncodedRows): Promise<void> =>
  copy(client, "public.clickstream_event_details", DETAIL_COLUMNS, rows);

/** Beside late events that this transaction kept. */
export const copyIntoLateDetails = (client: Queryable, rows: EncodedRows): Promise<void> =>
  copy(client, "etl.late_event_details", DETAIL_COLUMNS, rows);

/** Into an empty temporary table of this connection that has the columns and types of the real one. */
export async function copyIntoStage(client: Queryable, rows: EncodedRows): Promise<void> {
  await client.query(
    "CREATE TEMP TABLE IF NOT EXISTS etl_stage (LIKE public.clickstream_events) ON COMMIT DELETE ROWS",
  );
  await client.query("TRUNCATE pg_temp.etl_stage");
  await copy(client, "pg_temp.etl_stage", EVENT_COLUMNS, rows);
}

async function copy(
  client: Queryable,
  table: string,
  columns: readonly string[],
  { bytes, count }: EncodedRows,
): Promise<void> {
  // A `pg` client takes the stream as a query; the library's own interface needs not know of it.
  const stream = (client as unknown as { query(copy: pgCopy.CopyStreamQuery): pgCopy.CopyStreamQuery }).query(
    pgCopy.from(`COPY ${table} (${columns.join(", ")}) FROM STDIN (FORMAT binary)`),
  );
  await pipeline(Readable.from(writes(bytes), { objectMode: false }), stream);
  assertKept(table, stream.rowCount, count);
}

function* writes(bytes: Buffer): Generator<Buffer> {
  yield HEADER;
  for (let from = 0; from < bytes.length; from += WRITE_BYTES) yield bytes.subarray(from, from + WRITE_BYTES);
  yield TRAILER;
}
