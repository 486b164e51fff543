import { expect } from "chai";
import { type EventCounts, noEvents, type Queryable, type RunSummary } from "etl-lib";
import type { GenerateOptions } from "../../cli/sample/generate.js";
import type { Layout } from "../../cli/sample/layouts.js";
import type { SampleObject } from "../../cli/sample/pack.js";
import { sampleObjects } from "../../cli/sample/write-sample.js";
import type { LambdaError, Outcome } from "../lambda/runtime-api.js";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export const SCHEDULED = {
  version: "0",
  id: "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
  "detail-type": "Scheduled Event",
  source: "aws.events",
  account: "123456789012",
  time: "2025-12-06T06:00:00Z",
  region: "ap-southeast-1",
  resources: ["arn:aws:events:ap-southeast-1:123456789012:rule/SBW_ETL_HOURLY_RULE"],
  detail: {},
};

/** Objects of the generator, and what a run over them has to count. */
export interface Sample {
  readonly objects: readonly SampleObject[];
  readonly expected: EventCounts;
}

export function sample(options: GenerateOptions & { layout: Layout }): Sample {
  const objects = [...sampleObjects(options)];
  const records = objects.flatMap((object) => object.records);
  const of = (kind: string) => records.filter(({ expect: expected }) => expected === kind).length;
  const [inserted, duplicates] = [of("row"), of("duplicate")];
  const read = records.length;
  return {
    objects,
    expected: { ...noEvents(), read, inserted, duplicates, rejected: read - inserted - duplicates },
  };
}

/** The same objects in the other layout: `events/YYYY/MM/DD/…`, all in one prefix. */
export function inDayLayout({ objects, expected }: Sample): Sample {
  const move = (key: string) => key.replace(/^(events(?:\/\d+){3})\/\d\d\//, "$1/");
  return { objects: objects.map((object) => ({ ...object, key: move(object.key) })), expected };
}

export function sum(...counts: readonly EventCounts[]): EventCounts {
  const total = noEvents();
  for (const each of counts)
    for (const key of Object.keys(total) as (keyof EventCounts)[]) total[key] += each[key];
  return total;
}

/** The event of a backfill of two days: visits go on past midnight. @param day UTC, `2025-12-06` */
export function backfill(day: string): { from: string; to: string } {
  const from = Date.parse(day);
  return { from: new Date(from).toISOString(), to: new Date(from + 2 * DAY).toISOString() };
}

/** What lies in the warehouse of these days, in one snapshot: rows, quarantine and the ledger's counts. */
export async function expectHeld(db: Queryable, day: string, { objects, expected }: Sample): Promise<void> {
  const { from, to } = backfill(day);
  const keys = [...new Set(objects.map(({ key }) => key))];
  const { rows } = await db.query(
    // Days this old are sealed by the run that loads them: a folder's row then counts its objects, those with rejects too.
    `WITH kept AS (
       SELECT *, regexp_replace(key, '[^/]*$', '') AS folder FROM etl.objects WHERE key = ANY ($3)
     ), sealed AS (
       SELECT * FROM etl.sealed WHERE prefix IN (SELECT regexp_replace(key, '[^/]*$', '') FROM unnest($3::text[]) AS key)
     ), part AS (
       SELECT (folder NOT IN (SELECT prefix FROM sealed))::int AS objects, read, inserted, duplicates, rejected, expired, erased
       FROM kept
       UNION ALL SELECT objects, read, inserted, duplicates, 0, expired, erased FROM sealed
     )
     SELECT (SELECT count(*)::int FROM public.clickstream_events
         WHERE event_timestamp >= $1 AND event_timestamp < $2) AS rows,
       (SELECT count(*)::int FROM etl.rejects WHERE key = ANY ($3)) AS quarantined,
       sum(objects)::int AS objects, sum(read)::int AS read, sum(inserted)::int AS inserted,
       sum(duplicates)::int AS duplicates, sum(rejected)::int AS rejected,
       sum(expired)::int AS expired, sum(erased)::int AS erased
     FROM part`,
    [from, to, keys],
  );
  expect(rows[0]).to.deep.equal({
    ...expected,
    rows: expected.inserted,
    quarantined: expected.rejected,
    objects: objects.length,
  });
}

/** Two days that no other test uses. */
export function freshDay(): string {
  daysUsed += 3;
  return new Date(Date.UTC(2024, 0, daysUsed)).toISOString().slice(0, 10);
}
let daysUsed = 1;

/** The summary that the function answered. */
export function answered(outcome: Outcome): RunSummary {
  if ("result" in outcome) return outcome.result;
  throw new Error(`${outcome.error.errorType}: ${outcome.error.errorMessage}`);
}

/** The error that the function ended with. */
export function refused(outcome: Outcome): LambdaError {
  if ("error" in outcome) return outcome.error;
  throw new Error(`It answered: ${JSON.stringify(outcome.result)}`);
}

export function expectLoaded(summary: RunSummary, { objects, expected }: Sample): void {
  expect(summary.error).to.equal(null);
  expect(summary.status).to.equal("succeeded");
  expect(summary.events).to.deep.equal(expected);
  expect(summary.objects.loaded).to.equal(objects.length);
}
