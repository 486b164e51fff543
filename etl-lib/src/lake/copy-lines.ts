import pgCopy from "pg-copy-streams";
import type { WarehouseClient } from "../load/warehouse.js";
import { HOUR } from "../times.js";
import { TABLE_COLUMNS } from "./columns.js";

/** Rows as COPY sends them. */
export interface LineBatch {
  /** With their line ends. */
  readonly bytes: Buffer;
  readonly lines: readonly string[];
}

const BATCH_BYTES = 256 * 1024;
const LINE_END = 0x0a;
const HOURS = 24;

const COLUMNS = TABLE_COLUMNS.map(({ sql }) => sql).join(", ");
const ORDER = "ORDER BY e.event_timestamp, e.event_id";

/** The statements that read a day of the table in the order of time: an hour each, so that none sorts more. */
export function dayQueries(day: string): string[] {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const time = (hour: number) => `'${new Date(midnight + hour * HOUR).toISOString()}'`;
  const within = (table: string, hour: number) =>
    `${table}.event_timestamp >= ${time(hour)} AND ${table}.event_timestamp < ${time(hour + 1)}`;
  return Array.from(
    { length: HOURS },
    (_, hour) => `SELECT ${COLUMNS} FROM public.clickstream_events e
      LEFT JOIN public.clickstream_event_details d
        ON d.event_id = e.event_id AND d.event_timestamp = e.event_timestamp AND ${within("d", hour)}
      WHERE ${within("e", hour)} ${ORDER}`,
  );
}

/** The first late events of a day, in the order of time. */
export const lateQuery = (day: string, limit: number): string =>
  `SELECT ${COLUMNS} FROM etl.late_events e LEFT JOIN etl.late_event_details d USING (event_id)
   WHERE e.event_timestamp >= '${day}T00:00:00Z' AND e.event_timestamp < '${day}T00:00:00Z'::timestamptz + interval '1 day'
   ${ORDER} LIMIT ${limit}`;

/** Rows of a query, as fast as they are taken. @throws what PostgreSQL says */
export async function* copyLines(client: WarehouseClient, query: string): AsyncGenerator<LineBatch> {
  // A `pg` client takes the stream as a query; the library's own interface needs not know of it.
  const stream = (
    client as unknown as { query(copy: pgCopy.CopyToStreamQuery): pgCopy.CopyToStreamQuery }
  ).query(pgCopy.to(`COPY (${query}) TO STDOUT`));
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < BATCH_BYTES) continue;
    const all = Buffer.concat(waiting);
    const end = all.lastIndexOf(LINE_END) + 1;
    if (end > 0) yield batchOf(all.subarray(0, end));
    waiting = [all.subarray(end)];
    bytes = all.length - end;
  }
  if (bytes > 0) yield batchOf(Buffer.concat(waiting));
}

/** Line ends within a value are escaped. */
const batchOf = (bytes: Buffer): LineBatch => ({
  bytes,
  lines: bytes.toString("utf8", 0, bytes.length - 1).split("\n"),
});
