import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pgCopy from "pg-copy-streams";
import { EVENT_COLUMNS } from "../types.js";
import type { Queryable, WarehouseClient } from "./warehouse.js";

const COLUMNS = EVENT_COLUMNS.join(", ");
const COPY_INTO_EVENTS = `COPY public.clickstream_events (${COLUMNS}) FROM STDIN`;
const COPY_INTO_STAGE = `COPY pg_temp.etl_stage (object_no, ${COLUMNS}) FROM STDIN`;
const LINES_PER_WRITE = 1000;

/** Straight into the table. Fails as a whole with 23505 when any of the events is there already. */
export const copyIntoEvents = (client: Queryable, lines: readonly string[]): Promise<void> =>
  copy(client, COPY_INTO_EVENTS, lines, (line) => line);

/** Into a temporary table of this connection that also says which object of the batch a row is from. */
export async function copyIntoStage(
  client: WarehouseClient,
  lines: readonly string[],
  objectOfLine: readonly number[],
): Promise<void> {
  await client.query(`CREATE TEMP TABLE IF NOT EXISTS etl_stage
    (object_no int, LIKE public.clickstream_events) ON COMMIT DELETE ROWS`);
  await client.query("TRUNCATE pg_temp.etl_stage");
  await copy(client, COPY_INTO_STAGE, lines, (line, index) => `${objectOfLine[index]}\t${line}`);
}

async function copy(
  client: Queryable,
  sql: string,
  lines: readonly string[],
  encode: (line: string, index: number) => string,
): Promise<void> {
  function* writes() {
    for (let from = 0; from < lines.length; from += LINES_PER_WRITE) {
      const some = lines.slice(from, from + LINES_PER_WRITE);
      yield Buffer.from(some.map((line, index) => encode(line, from + index)).join(""));
    }
  }
  // A `pg` client takes the stream as a query; the library's own interface needs not know of it.
  const stream = (client as unknown as { query(copy: pgCopy.CopyStreamQuery): pgCopy.CopyStreamQuery }).query(
    pgCopy.from(sql),
  );
  await pipeline(Readable.from(writes()), stream);
}
