import { assertKept } from "./pg-errors.js";
import type { Queryable } from "./warehouse.js";

/** Rows of one UTC hour. */
export interface HourRows {
  rows: number;
  /** Sum of `uuid_hash(event_id)`, by which rows are told from others of the same number. */
  ids: number;
  /** Of the rows, those that have their details. */
  details: number;
}

/** By the start of the UTC hour, in milliseconds since 1970. */
export type LoadedHours = Map<number, HourRows>;

export function noteHour(hours: LoadedHours, hour: number, { rows, ids, details }: HourRows): void {
  const found = hours.get(hour);
  if (!found) {
    hours.set(hour, { rows, ids, details });
    return;
  }
  found.rows += rows;
  found.ids += ids;
  found.details += details;
}

export function noteHours(hours: LoadedHours, more: LoadedHours): void {
  for (const [hour, rows] of more) noteHour(hours, hour, rows);
}

/** Tells the ledger which hours gained rows, in the transaction that inserted them. */
export async function insertLoadedHours(db: Queryable, runId: string, hours: LoadedHours): Promise<void> {
  if (hours.size === 0) return;
  const { rowCount } = await db.query(
    `INSERT INTO etl.loaded_hours (hour, rows, ids, details, run_id)
     SELECT hour, rows, ids, details, $1
     FROM unnest($2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[]) AS t (hour, rows, ids, details)`,
    [
      runId,
      [...hours.keys()].map((hour) => new Date(hour).toISOString()),
      [...hours.values()].map(({ rows }) => rows),
      [...hours.values()].map(({ ids }) => ids),
      [...hours.values()].map(({ details }) => details),
    ],
  );
  assertKept("etl.loaded_hours", rowCount, hours.size);
}

/** By hour, what the table holds more than the ledger says, as the caller's transaction sees it. */
export async function surplusOf(db: Queryable, hours: Iterable<number>): Promise<LoadedHours> {
  const { rows } = await db.query<HourRows & { hour: Date }>(
    `WITH hour AS (SELECT unnest($1::timestamptz[]) AS hour), there AS (
       SELECT hour, count(event_id) AS rows, coalesce(sum(uuid_hash(event_id)::bigint), 0) AS ids
       FROM hour LEFT JOIN public.clickstream_events ON event_timestamp >= hour AND event_timestamp < hour + interval '1 hour'
       GROUP BY hour
     ), details AS (
       SELECT hour, count(event_id) AS details
       FROM hour LEFT JOIN public.clickstream_event_details
         ON event_timestamp >= hour AND event_timestamp < hour + interval '1 hour'
       GROUP BY hour
     ), loaded AS (
       SELECT hour, sum(rows) AS rows, sum(ids) AS ids, sum(details) AS details
       FROM etl.loaded_hours WHERE hour = ANY ($1) GROUP BY hour)
     SELECT hour, (t.rows - coalesce(l.rows, 0))::float8 AS rows, (t.ids - coalesce(l.ids, 0))::float8 AS ids,
       (d.details - coalesce(l.details, 0))::float8 AS details
     FROM there t JOIN details d USING (hour) LEFT JOIN loaded l USING (hour)`,
    [[...hours].map((hour) => new Date(hour).toISOString())],
  );
  return new Map(rows.map(({ hour, ...surplus }) => [hour.getTime(), surplus]));
}
