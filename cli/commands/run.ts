import { Command } from "commander";
import {
  describeError,
  EtlError,
  noEvents,
  noObjects,
  type RunSummary,
  runEtl,
  type WarehousePool,
} from "etl-lib";
import { parseDuration } from "../duration.js";
import { EXIT } from "../exit.js";
import { progressView } from "../progress.js";
import { type Selection, type SourceOptions, select } from "../source.js";
import { summaryText } from "../summary.js";
import { withWarehouse } from "../with-target.js";
import { addSourceOptions, jsonOption, wholeNumber } from "./options.js";

interface RunCommandOptions extends SourceOptions {
  readonly dryRun?: boolean;
  readonly concurrency: number;
  readonly batchRows: number;
  readonly timeBudget?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export const runCommand = (): Command =>
  addSourceOptions(new Command("run").description("Load what is new (the default command)."))
    .option("--dry-run", "really stage and count, then roll back")
    .option("--concurrency <n>", "objects read at the same time", wholeNumber(1, 1000), 128)
    .option("--batch-rows <n>", "rows of a transaction, roughly", wholeNumber(1, 1_000_000), 20_000)
    .option("--time-budget <time>", "start no batch after this long, e.g. 5m")
    .option("--strict", "exit with 3 when events were rejected")
    .addOption(jsonOption())
    .option("--quiet", "no progress, no table")
    .action((options: RunCommandOptions) =>
      run(options).catch((error) => {
        if (options.json) console.log(JSON.stringify(notStarted(error, options)));
        throw error;
      }),
    );

async function run(options: RunCommandOptions): Promise<void> {
  const timeBudgetMs = options.timeBudget ? parseDuration(options.timeBudget, "--time-budget") : undefined;
  const selection = await select(options, process.env);
  const quiet = options.quiet ?? false;
  const summary = await withWarehouse(quiet, ({ pool }) =>
    load(pool, selection, { ...options, timeBudgetMs }),
  );
  if (options.json) console.log(JSON.stringify(summary));
  else if (!quiet) console.log(summaryText(summary));
  else if (summary.error) console.error(summary.error.message);
  process.exitCode = exitCode(summary, options.strict ?? false);
}

/** What a reader of --json gets when the run did not come about: the summary of a run in which nothing happened. */
const notStarted = (error: unknown, { dryRun = false }: RunCommandOptions) => ({
  status: "failed",
  runId: null,
  window: null,
  dryRun,
  objects: noObjects(),
  events: noEvents(),
  rejects: {},
  warnings: {},
  durationMs: 0,
  error:
    error instanceof EtlError
      ? describeError(error)
      : { kind: "fatal", stage: "plan", message: (error as Error).message, object: null },
});

export async function load(
  pool: WarehousePool,
  selection: Selection,
  options: Pick<RunCommandOptions, "dryRun" | "quiet"> &
    Partial<Pick<RunCommandOptions, "concurrency" | "batchRows">> & { timeBudgetMs?: number | undefined },
): Promise<RunSummary> {
  if (!options.quiet) console.error(`Source: ${selection.description}`);
  const view = progressView(options.quiet ?? false);
  const summary = await runEtl({
    pool,
    source: selection.source,
    window: selection.window,
    prefix: selection.prefix,
    trigger: "local",
    dryRun: options.dryRun ?? false,
    ...(options.concurrency && { concurrency: options.concurrency }),
    ...(options.batchRows && { batchRows: options.batchRows }),
    timeBudgetMs: options.timeBudgetMs,
    onProgress: (progress) => view.update(progress),
  });
  view.stop();
  return summary;
}

export function exitCode({ status, objects, events }: RunSummary, strict: boolean): number {
  if (status === "failed" || objects.failed > 0) return EXIT.failed;
  return strict && events.rejected > 0 ? EXIT.rejects : EXIT.done;
}
