import type { Command } from "commander";
import {
  noEvents,
  noObjects,
  objectOf,
  type RunProgress,
  type RunSummary,
  runEtl,
  type WarehousePool,
} from "etl-lib";
import { readDetails } from "../../connect/environment.js";
import { parseDuration } from "../shared/duration.js";
import { EXIT, failureObject, UsageError } from "../shared/failure.js";
import { count } from "../shared/format.js";
import { type Log, openLog } from "../shared/log.js";
import { addSourceOptions, jsonOption, wholeNumber } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { type Progress, progressView } from "../shared/progress.js";
import { environment } from "../shared/project.js";
import { withWarehouse } from "../shared/warehouse.js";
import { daysPlot, NEXT_STEPS } from "./after-load.js";
import { type Selection, type SourceOptions, select } from "./source.js";
import { interruptionText, summaryText } from "./summary.js";
import { openTelemetry } from "./telemetry.js";

interface RunCommandOptions extends SourceOptions {
  readonly dryRun?: boolean;
  readonly reload?: boolean;
  readonly key?: string;
  readonly concurrency: number;
  readonly batchRows: number;
  readonly timeBudget?: string;
  readonly allowEmpty?: boolean;
  readonly strict?: boolean;
  readonly details: boolean;
  readonly keepIp?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly logFile?: string;
}

/** A run that is interrupted rolls its batch back and closes its row in less. */
export const GRACE_MS = 900;
/** What a run waits for whoever collects its traces, and one that was interrupted. */
const TELEMETRY_MS = 5000;
const TELEMETRY_MS_ONCE_INTERRUPTED = 300;

export const define = (command: Command): Command =>
  addSourceOptions(command)
    .option("--dry-run", "really stage and count, then roll back")
    .option("--reload", "read again what is loaded already, and bring back what the table lacks of it")
    .option("--key <key>", "with --reload: only this object")
    .option("--concurrency <n>", "objects read at the same time", wholeNumber(1, 1000), 128)
    .option("--batch-rows <n>", "rows in a transaction, roughly", wholeNumber(1, 1_000_000), 20_000)
    .option(
      "--limit <n>",
      "for a first look: read n objects (whole, whatever they hold) and no more, the newest hours first",
      wholeNumber(1, 1_000_000_000),
    )
    .option("--no-details", "load the 16 columns alone, nothing into clickstream_event_details")
    .option("--keep-ip", "keep the network (/24, /48) of a visitor's IP address in the details")
    .option("--allow-empty", "exit with 0 although there is nothing at the source")
    .option("--time-budget <time>", "start no batch after this long, e.g. 5m")
    .option("--strict", "exit with 3 when events were rejected")
    .addOption(jsonOption())
    .option("--quiet", "no progress, no table")
    .option("--log-file <path>", "append to a log, one JSON object a line")
    .action(async (options: RunCommandOptions) => {
      const log = openLog(options.logFile);
      await run(options, log).catch((error) => {
        log("error", "run failed", failureObject(error));
        if (options.json) printJson(notStarted(error, options));
        throw error;
      });
    });

async function run(options: RunCommandOptions, log: Log): Promise<void> {
  const timeBudgetMs = options.timeBudget ? parseDuration(options.timeBudget, "--time-budget") : undefined;
  const selection = await selectObjects(options);
  const { quiet = false } = options;
  let plot = "";
  const summary = await withWarehouse({ quiet, graceMs: GRACE_MS }, async ({ pool, description }, signal) => {
    log("info", "run starts", { source: selection.description, target: description });
    const done = await load(pool, selection, { ...options, timeBudgetMs, signal });
    const isShown = !quiet && !options.json && !done.dryRun && done.status === "succeeded";
    if (isShown) plot = `${await daysPlot(pool)}\n${NEXT_STEPS}`;
    return done;
  });
  log(summary.error ? "error" : "info", "run ends", { summary });
  const isEmpty = summary.status === "skipped" && summary.objects.listed === 0 && !options.allowEmpty;
  if (options.json) printJson(summary);
  else if (!quiet && !isEmpty && summary.status !== "interrupted") console.log(summaryText(summary) + plot);
  else if (summary.error) console.error(summary.error.message);
  process.exitCode = exitCode(summary, options.strict ?? false);
  if (!isEmpty) return;
  if (!quiet)
    console.error(`There is no object in ${selection.description}: check --source, or give --allow-empty.`);
  process.exitCode = EXIT.usage;
}

async function selectObjects(options: RunCommandOptions): Promise<Selection> {
  const { key, reload, from, last } = options;
  if (key !== undefined && !reload)
    throw new UsageError("--key goes with --reload: a run finds what is new by itself.");
  if (reload && key === undefined && from === undefined && last === undefined)
    throw new UsageError("--reload needs --key, --from or --last: say what to read again.");
  const selection = await select(options);
  if (key === undefined) return selection;
  return {
    source: await objectOf(selection.source, key),
    window: null,
    prefix: undefined,
    description: `${key} of ${selection.source.bucket}`,
  };
}

/** What a reader of --json gets when the run did not come about: the summary of a run in which nothing happened. */
function notStarted(error: unknown, { dryRun = false }: RunCommandOptions) {
  const { status, error: described } = failureObject(error);
  return {
    status,
    runId: null,
    window: null,
    dryRun,
    objects: noObjects(),
    rollupsRefreshed: false,
    events: noEvents(),
    rejects: {},
    warnings: {},
    contract: { checked: 0, findings: [] },
    sealed: 0,
    pruned: 0,
    alerts: [],
    durationMs: 0,
    error: described,
    errors: described ? [described] : [],
  };
}

interface LoadOptions
  extends Partial<
    Pick<
      RunCommandOptions,
      "dryRun" | "reload" | "quiet" | "concurrency" | "batchRows" | "details" | "keepIp"
    >
  > {
  readonly timeBudgetMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** Interrupted, it says what stays. */
export async function load(
  pool: WarehousePool,
  selection: Selection,
  options: LoadOptions,
): Promise<RunSummary> {
  if (!options.quiet) console.error(`Source: ${selection.description}`);
  const telemetry = await openTelemetry(environment(), selection.description);
  const view = progressView({ quiet: options.quiet ?? false });
  const summary = await runEtl({
    pool,
    source: selection.source,
    window: selection.window,
    prefix: selection.prefix,
    trigger: "local",
    dryRun: options.dryRun ?? false,
    reload: options.reload ?? false,
    details: detailsToLoad(options),
    ...(options.concurrency && { concurrency: options.concurrency }),
    ...(options.batchRows && { batchRows: options.batchRows }),
    timeBudgetMs: options.timeBudgetMs,
    signal: options.signal,
    onProgress: (progress) => view.update(measure(progress)),
    observer: telemetry?.observer,
  });
  view.stop();
  const isInterrupted = summary.status === "interrupted";
  if (isInterrupted && !options.quiet) console.error(interruptionText(summary));
  const untold = await telemetry?.end(summary, isInterrupted ? TELEMETRY_MS_ONCE_INTERRUPTED : TELEMETRY_MS);
  if (untold && !options.quiet)
    console.error(`Traces and metrics did not reach OTEL_EXPORTER_OTLP_ENDPOINT: ${untold}.`);
  return summary;
}

/** An option counts for more than the environment. */
function detailsToLoad({ details = true, keepIp }: LoadOptions) {
  const configured = readDetails(process.env);
  if (!details) return null;
  return keepIp ? { keepIp } : configured;
}

/** Bytes measure the work: objects differ in size, and events are known only when read. */
function measure({ objects, events, bytes, isListed, elapsedMs }: RunProgress): Progress {
  const toLoad = objects.listed - objects.alreadyLoaded;
  const rate = elapsedMs > 0 ? (1000 * events.read) / elapsedMs : 0;
  return {
    total: isListed ? bytes.listed : null,
    done: bytes.loaded,
    parts: [
      `${count(objects.loaded)}/${count(toLoad)}${isListed ? "" : "+"} objects`,
      `${count(events.read)} events`,
      `${count(rate)}/s`,
    ],
  };
}

export function exitCode({ status, objects, events }: RunSummary, strict: boolean): number {
  if (status === "interrupted") return EXIT.interrupted;
  if (status === "failed" || objects.failed > 0) return EXIT.failed;
  return strict && events.rejected > 0 ? EXIT.rejects : EXIT.done;
}
