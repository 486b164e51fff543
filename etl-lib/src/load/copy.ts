import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pgCopy from "pg-copy-streams";
import { EVENT_COLUMNS } from "../types.js";
import type { Queryable, WarehouseClient } from "./warehouse.js";

const COLUMNS = EVENT_COLUMNS.join(", ");
const COPY_INTO_EVENTS = `COPY public.clickstream_events (${COLUMNS}) FROM STDIN`;
const COPY_INTO_STAGE = `COPY pg_temp.etl_stage (object_no, ${COLUMNS}) FROM STDIN`;
const WRITE_BYTES = 64 * 1024;

/**
 * Straight into the table. Fails as a whole with 23505 when any of the events is there already.
 * @returns how many rows the table took
 */
export async function copyIntoEvents(client: Queryable, lines: Buffer): Promise<number> {
  function* writes() {
    for (let from = 0; from < lines.length; from += WRITE_BYTES)
      yield lines.subarray(from, from + WRITE_BYTES);
  }
  return copy(client, COPY_INTO_EVENTS, writes());
}

/** A row of a batch on its way through the stage. */
export interface StagedLine {
  /** Index of the row's object in the batch. */
  readonly object: number;
  readonly line: Buffer;
}

/** Into a temporary table of this connection that also says which object of the batch a row is from. */
export async function copyIntoStage(client: WarehouseClient, lines: Iterable<StagedLine>): Promise<void> {
  await client.query(`CREATE TEMP TABLE IF NOT EXISTS etl_stage
    (object_no int, LIKE public.clickstream_events) ON COMMIT DELETE ROWS`);
  await client.query("TRUNCATE pg_temp.etl_stage");
  await copy(client, COPY_INTO_STAGE, stageWrites(lines));
}

function* stageWrites(lines: Iterable<StagedLine>): Generator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for (const { object, line } of lines) {
    parts.push(Buffer.from(`${object}\t`), line);
    size += line.length;
    if (size < WRITE_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  yield Buffer.concat(parts);
}

async function copy(client: Queryable, sql: string, writes: Iterable<Buffer>): Promise<number> {
  // A `pg` client takes the stream as a query; the library's own interface needs not know of it.
  const stream = (client as unknown as { query(copy: pgCopy.CopyStreamQuery): pgCopy.CopyStreamQuery }).query(
    pgCopy.from(sql),
  );
  await pipeline(Readable.from(writes, { objectMode: false }), stream);
  return stream.rowCount;
}
