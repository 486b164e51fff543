import { HOST_METRICS, METRICS } from "../../functions/etl/contract.js";
import type { Config } from "../../stacks/config.js";
import { interfaceServices, isBurstable } from "../../stacks/names.js";
import { longestGapHours } from "../../stacks/schedule-gap.js";
import { CommandError } from "../shared/failure.js";
import { type InstanceType, PRICES } from "./prices.js";

/** What the bill depends on and the configuration does not say. */
export interface Load {
  readonly eventsPerDay: number;
  /** 1 is today's writer: one object an event. */
  readonly eventsPerObject: number;
  /** Days of events that the warehouse holds. */
  readonly retentionDays: number;
  /** Hours that `npm run backfill` loads in a month. */
  readonly backfillHours: number;
}

export interface CostLine {
  readonly what: string;
  /** How it is reckoned, in words. */
  readonly basis: string;
  readonly usd: number;
}

const DAYS = 30.4;
const HOURS = 730;
const GB = 1e9;
/** A row of events with its key (280), its share of the rollups (80), and its details. */
const ROW_BYTES = 600;
/** What pg_dump's compression leaves of it. */
const DUMP_SHARE = 0.2;
/** An event in a Parquet file of the lake (docs/lake.md). */
const LAKE_BYTES = 60;
const ROOT_GB = 16;
/** S3 lists so many keys a call. */
const LIST_PAGE = 1000;
/** Seconds of the function: a start with its connection, and what an object and an event take (docs/benchmarks.md). */
const RUN_SECONDS = 3;
const OBJECT_SECONDS = 1 / 1000;
const EVENT_SECONDS = 1 / 20_000;
/** A run logs its summary and little else; a flow log's line is as long. */
const LOG_BYTES_A_RUN = 20_000;
const FLOW_LOG_GB = 0.5;
/** Of the stacks, by their kinds; a test counts those of the synthesized JSON. */
const ALARMS = { all: 24, burstable: 1, lake: 1, webDb: 1 };
/** States that an hour of a backfill goes through, its start included. */
const TRANSITIONS_AN_HOUR = 4;

/** A month's bill, line by line. @throws {CommandError} the instance type is not in the price table */
export function estimate(config: Config, load: Load): CostLine[] {
  const objectsPerDay = load.eventsPerDay / load.eventsPerObject;
  return [
    ...endpointLines(config),
    ...hostLines(config, load),
    ...requestLines(config, objectsPerDay),
    ...functionLines(config, load, objectsPerDay),
    ...watchLines(config),
  ];
}

function endpointLines(config: Config): CostLine[] {
  const count = interfaceServices(config).length;
  return [line("interface endpoints", `${count} × ${HOURS} h`, count * HOURS * PRICES.endpointHour)];
}

function hostLines(config: Config, { eventsPerDay, retentionDays }: Load): CostLine[] {
  const hour = PRICES.instanceHour[config.warehouseInstanceType as InstanceType];
  if (hour === undefined)
    throw new CommandError(
      `cli/cost/prices.ts has no price for ${config.warehouseInstanceType}; it has ${Object.keys(PRICES.instanceHour).join(", ")}.`,
    );
  const dataGb = (eventsPerDay * retentionDays * ROW_BYTES) / GB;
  // Half as much again for write-ahead log and room to work in.
  const volumeGb = Math.max(config.warehouseDataGb, Math.ceil(dataGb * 1.5));
  const dayGb = (eventsPerDay * ROW_BYTES) / GB;
  const snapshotGb = dataGb + 2 * dayGb * config.snapshotRetentionDays;
  const lakeGb = (eventsPerDay * 365 * LAKE_BYTES) / GB;
  const dumpsGb = dataGb * DUMP_SHARE * config.backupRetentionDays;
  return [
    line("host", `${config.warehouseInstanceType}, ${HOURS} h`, HOURS * hour),
    line("volumes", `${ROOT_GB} + ${volumeGb} GB gp3`, (ROOT_GB + volumeGb) * PRICES.gp3),
    line(
      "snapshots",
      `${gb(snapshotGb)}, ${config.snapshotRetentionDays} days`,
      snapshotGb * PRICES.snapshot,
    ),
    line("dumps", `${gb(dumpsGb)}, ${config.backupRetentionDays} days`, dumpsGb * PRICES.s3Storage),
    ...(config.lake ? [line("lake", `${gb(lakeGb)} of Parquet a year`, lakeGb * PRICES.s3Storage)] : []),
  ];
}

function requestLines(config: Config, objectsPerDay: number): CostLine[] {
  const gets = objectsPerDay * DAYS;
  const pagesPerHour = Math.max(1, Math.ceil(objectsPerDay / 24 / LIST_PAGE));
  const recent = config.recentHours + 1; // and the hour at hand
  const listed = runsPerMonth(config) * recent + DAYS * config.lookbackHours;
  const lists = listed * pagesPerHour;
  return [
    line("S3 GET", `${count(gets)}, one an object`, gets * PRICES.s3Get),
    line(
      "S3 LIST",
      `${count(lists)}: ${recent} hours a run and ${config.lookbackHours} a day, ${pagesPerHour} pages an hour`,
      lists * PRICES.s3List,
    ),
  ];
}

function functionLines(
  config: Config,
  { eventsPerDay, backfillHours }: Load,
  objectsPerDay: number,
): CostLine[] {
  const runs = runsPerMonth(config);
  const hourly = (objectsPerDay * OBJECT_SECONDS + eventsPerDay * EVENT_SECONDS) / 24;
  const seconds = (runs + backfillHours) * RUN_SECONDS + (DAYS * 24 + backfillHours) * hourly;
  const gbSeconds = (seconds * config.functionMemoryMb) / 1024;
  const transitions = backfillHours * TRANSITIONS_AN_HOUR;
  return [
    line(
      "function",
      `${count(seconds)} s at ${config.functionMemoryMb} MB`,
      gbSeconds * PRICES.lambdaGbSecond + (runs + backfillHours) * PRICES.lambdaRequest,
    ),
    line(
      "backfill machine",
      `${count(backfillHours)} hours, ${TRANSITIONS_AN_HOUR} transitions each`,
      transitions * PRICES.stateTransition,
    ),
  ];
}

/** Metrics of its own, alarms, logs. */
function watchLines(config: Config): CostLine[] {
  const metrics = Object.keys(METRICS).length + Object.keys(HOST_METRICS).length;
  const alarms =
    ALARMS.all +
    (isBurstable(config.warehouseInstanceType) ? ALARMS.burstable : 0) +
    (config.lake ? ALARMS.lake : 0) +
    (config.webDb ? ALARMS.webDb : 0);
  const logs = FLOW_LOG_GB + (runsPerMonth(config) * LOG_BYTES_A_RUN) / GB;
  const kept = logs * (config.logRetentionDays / DAYS);
  return [
    line("metrics and alarms", `${metrics} and ${alarms}`, metrics * PRICES.metric + alarms * PRICES.alarm),
    line("logs", `${gb(logs)} taken in`, logs * PRICES.logGb + kept * PRICES.logStorage),
  ];
}

function runsPerMonth({ ruleSchedule }: Config): number {
  return HOURS / (longestGapHours(ruleSchedule) ?? 1);
}

const line = (what: string, basis: string, usd: number): CostLine => ({ what, basis, usd });
const gb = (value: number): string => `${value.toFixed(1)} GB`;
const count = (value: number): string => Math.round(value).toLocaleString("en-US");
