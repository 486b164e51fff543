import { join } from "node:path";
import { type Command, Option } from "commander";
import { parseWindow } from "etl-lib";
import { openDeployed } from "../deployed/deployed.js";
import { EXIT } from "../shared/failure.js";
import { addDeployedOptions, jsonOption, wholeNumber } from "../shared/options.js";
import { progressView } from "../shared/progress.js";
import { WORK_FOLDER } from "../shared/project.js";
import { type BackfillReport, backfill } from "./backfill.js";
import { createInvoker } from "./invoke.js";
import { planSlices, type Unit } from "./plan.js";
import { openProgressFile } from "./progress-file.js";
import { progressOf, reportText } from "./view.js";

interface Options {
  readonly from: string;
  readonly to: string;
  readonly by: Unit;
  readonly parallel: number;
  readonly dryRun?: true;
  readonly json?: true;
  readonly output: string;
}

const FOLDER = join(WORK_FOLDER, ".local", "backfill");

const HELP = `What is loaded already is not loaded again. A window whose objects do not all fit into one run is run again until none
remains. What is done is kept in .local/backfill/ until all is: the same command, given again, goes on from there.
Ctrl-C starts no further window and waits for those that run; a second one does not wait.
Exit codes: 0 all is loaded, 1 something failed or was not started, 2 wrong usage.`;

export const define = (command: Command): Command =>
  addDeployedOptions(command, HELP)
    .requiredOption("--from <time>", "first hour, ISO 8601 in UTC, e.g. 2025-12-06T05:00Z or 2025-12-06")
    .requiredOption("--to <time>", "end of the window, not included")
    .addOption(new Option("--by <unit>", "one invocation for each").choices(["hour", "day"]).default("hour"))
    .option("--parallel <n>", "invocations at a time, 1 to 20", wholeNumber(1, 20), 2)
    .option("--dry-run", "read and count, write nothing")
    .addOption(jsonOption())
    .action(run);

async function run(options: Options): Promise<void> {
  const window = parseWindow(options.from, options.to, { from: "--from", to: "--to" });
  const deployed = openDeployed(options.output, process.env);
  const { region, functionTimeoutSeconds: timeoutSeconds } = deployed.config;
  const functionName = await deployed.output("scheduler", "function_name");
  const dryRun = options.dryRun ?? false;
  const name = `${await deployed.accountId()}-${functionName}`;
  const file = dryRun ? null : await openProgressFile(FOLDER, name, window);
  const view = progressView({ lineEveryMs: 0 });
  const report = await backfill({
    slices: planSlices(window, options.by),
    invoke: createInvoker({ region, functionName, timeoutSeconds }),
    parallel: options.parallel,
    dryRun,
    file,
    signal: stopSignal(),
    onProgress: (report) => view.update(progressOf(report)),
  });
  view.stop();
  const isComplete = report.done === report.total;
  if (isComplete) await file?.remove();
  else process.exitCode = EXIT.failed;
  console.log(options.json ? toJson(report, window, dryRun) : reportText(report, { dryRun }));
}

function toJson(report: BackfillReport, window: { from: Date; to: Date }, dryRun: boolean): string {
  return JSON.stringify({ ...window, dryRun, ...report }, null, 2);
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  process.on("SIGINT", () => {
    if (controller.signal.aborted) process.exit(EXIT.failed);
    console.error("\nNothing new is started; waiting for what runs. Ctrl-C again does not wait.");
    controller.abort();
  });
  return controller.signal;
}
