import type { Queryable } from "../load/warehouse.js";

/** A UTC hour that does not hold the rows that loads brought. */
export interface HourGap {
  readonly hour: Date;
  /** What the ledger says the hour holds. */
  readonly loaded: number;
  /** What it holds. As many may still be others. */
  readonly rows: number;
}

/** A UTC hour that does not hold as many rows of details as loads brought. */
export interface DetailsGap {
  readonly hour: Date;
  readonly loadedDetails: number;
  readonly details: number;
}

export interface HourComparison {
  readonly gaps: readonly HourGap[];
  readonly detailsGaps: readonly DetailsGap[];
  /** Events that have none: loaded by an earlier version, or while details were off. */
  readonly withoutDetails: number;
  /** Of the whole table. */
  readonly rows: number;
}

const WEEK = 7 * 24 * 60 * 60 * 1000;

/**
 * Compares each hour of the table with what loads put there: a week a statement, each its own snapshot, so that no
 * statement grows with the table and a run that commits meanwhile is no gap.
 */
export async function compareHours(db: Queryable): Promise<HourComparison> {
  const gaps: HourGap[] = [];
  const detailsGaps: DetailsGap[] = [];
  let rows = 0;
  let withoutDetails = 0;
  const weeks = await weeksLoaded(db);
  for (const week of weeks) {
    const hours = await compareWeek(db, week);
    for (const hour of hours) {
      rows += hour.rows;
      withoutDetails += Math.max(0, hour.rows - hour.details);
      if (!hour.same) gaps.push(hour);
      if (hour.details !== hour.loadedDetails) detailsGaps.push(hour);
    }
  }
  const elsewhere = await rowsOutside(db, weeks);
  for (const hour of elsewhere) rows += hour.rows;
  return { gaps: [...gaps, ...elsewhere], detailsGaps, withoutDetails, rows };
}

async function weeksLoaded(db: Queryable): Promise<Date[]> {
  const { rows } = await db.query<{ week: Date }>(
    "SELECT DISTINCT date_bin('7 days', hour, 'epoch') AS week FROM etl.loaded_hours ORDER BY 1",
  );
  return rows.map(({ week }) => week);
}

type ComparedHour = HourGap & DetailsGap & { readonly same: boolean };

async function compareWeek(db: Queryable, week: Date): Promise<ComparedHour[]> {
  const { rows } = await db.query<ComparedHour>(
    `WITH loaded AS (
       SELECT hour, sum(rows) AS rows, sum(ids) AS ids, sum(details) AS details
       FROM etl.loaded_hours WHERE hour >= $1 AND hour < $2 GROUP BY 1
     ), there AS (
       SELECT date_bin('1 hour', event_timestamp, 'epoch') AS hour, count(*) AS rows, sum(uuid_hash(event_id)::bigint) AS ids
       FROM public.clickstream_events WHERE event_timestamp >= $1 AND event_timestamp < $2 GROUP BY 1
     ), details AS (
       SELECT date_bin('1 hour', event_timestamp, 'epoch') AS hour, count(*) AS details
       FROM public.clickstream_event_details WHERE event_timestamp >= $1 AND event_timestamp < $2 GROUP BY 1
     )
     SELECT hour, coalesce(l.rows, 0)::float8 AS loaded, coalesce(t.rows, 0)::float8 AS rows,
       (coalesce(l.rows, 0), coalesce(l.ids, 0)) = (coalesce(t.rows, 0), coalesce(t.ids, 0)) AS same,
       coalesce(l.details, 0)::float8 AS "loadedDetails", coalesce(d.details, 0)::float8 AS details
     FROM loaded l FULL JOIN there t USING (hour) FULL JOIN details d USING (hour) ORDER BY hour`,
    [week, new Date(week.getTime() + WEEK)],
  );
  return rows;
}

const HOURS_LISTED = 1000;

/** Rows of weeks that no load touched. One pass over the table, that keeps nothing but what it finds. */
async function rowsOutside(db: Queryable, weeks: readonly Date[]): Promise<HourGap[]> {
  const { rows } = await db.query<HourGap>(
    `SELECT date_bin('1 hour', event_timestamp, 'epoch') AS hour, 0 AS loaded, count(*)::float8 AS rows
     FROM public.clickstream_events WHERE date_bin('7 days', event_timestamp, 'epoch') <> ALL ($1::timestamptz[])
     GROUP BY 1 ORDER BY 1 LIMIT ${HOURS_LISTED}`,
    [weeks],
  );
  return rows;
}
