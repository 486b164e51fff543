import type { Command } from "commander";
import { parseWindow } from "etl-lib";
import { openDeployed } from "../deployed/deployed.js";
import { CommandError, EXIT, UsageError } from "../shared/failure.js";
import { addDeployedOptions, jsonOption, wholeNumber } from "../shared/options.js";
import { progressView } from "../shared/progress.js";
import { type BackfillState, Executions } from "./executions.js";
import { follow } from "./follow.js";
import { progressOf, reportText } from "./view.js";

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly parallel?: number;
  readonly follow?: true;
  readonly cancel?: true;
  readonly json?: true;
  readonly output: string;
}

const POLL_MS = 3000;

const HELP = `A state machine of AWS Step Functions runs the deployed function for each hour of the window, several at a time and each until
nothing of it remains, then refreshes the rollups. What is loaded already is not loaded again, so the same command, given
again, loads what an earlier one did not.
Ctrl-C leaves it running; --follow finds it again, --cancel stops it.
Exit codes: 0 all is loaded, or it goes on; 1 some hours are not loaded, or it was stopped; 2 wrong usage.`;

export const define = (command: Command): Command =>
  addDeployedOptions(command, HELP)
    .option("--from <time>", "first hour, ISO 8601 in UTC, e.g. 2025-12-06T05:00Z or 2025-12-06")
    .option("--to <time>", "end of the window, not included")
    .option("--parallel <n>", "hours at a time (default: backfillConcurrency)", wholeNumber(1, 8))
    .option("--follow", "watch the one that runs, or look at the last one")
    .option("--cancel", "stop the one that runs")
    .addOption(jsonOption())
    .action(run);

async function run(options: Options): Promise<void> {
  const window = windowOf(options);
  const deployed = openDeployed(options.output, process.env);
  const executions = await Executions.of(deployed);
  const arn = window
    ? await executions.start(window, options.parallel ?? deployed.config.backfillConcurrency)
    : await existing(executions);
  if (options.cancel) await cancel(executions, arn);
  const view = progressView({ quiet: options.json ?? false, lineEveryMs: POLL_MS });
  const state = await follow(() => executions.describe(arn), {
    signal: stopSignal(),
    everyMs: POLL_MS,
    onProgress: (state) => view.update(progressOf(state)),
  });
  view.stop();
  process.exitCode = exitCode(state);
  console.log(options.json ? JSON.stringify(state, null, 2) : reportText(state));
}

/** Null: no new backfill is asked for. @throws {UsageError} */
function windowOf({ from, to, follow, cancel }: Options): { from: Date; to: Date } | null {
  const isNew = from !== undefined || to !== undefined;
  if (isNew && (follow || cancel)) throw new UsageError("--follow and --cancel go without --from and --to.");
  if (follow && cancel) throw new UsageError("Give either --follow or --cancel.");
  if (follow || cancel) return null;
  if (from === undefined || to === undefined)
    throw new UsageError("Give --from and --to, or --follow, or --cancel.");
  return parseWindow(from, to, { from: "--from", to: "--to" });
}

async function existing(executions: Executions): Promise<string> {
  const arn = await executions.newest();
  if (arn === null) throw new CommandError("There has been no backfill: start one with --from and --to.");
  return arn;
}

async function cancel(executions: Executions, arn: string): Promise<void> {
  const { status } = await executions.describe(arn);
  if (status !== "RUNNING") throw new CommandError("No backfill runs: there is nothing to cancel.");
  await executions.stop(arn);
}

const exitCode = ({ status }: BackfillState): number =>
  status === "SUCCEEDED" || status === "RUNNING" ? EXIT.done : EXIT.failed;

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  return controller.signal;
}
