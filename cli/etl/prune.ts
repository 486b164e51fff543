import type { Command } from "commander";
import {
  assertClosed,
  hasExports,
  type PrunePreview,
  type PruneResult,
  previewPrune,
  prune,
  pruneRecords,
  waitText,
} from "etl-lib";
import { readLookbackHours } from "../../connect/environment.js";
import { EXIT, UsageError } from "../shared/failure.js";
import { count, table } from "../shared/format.js";
import { jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withWarehouse } from "../shared/warehouse.js";

interface PruneCommandOptions {
  readonly before?: string;
  readonly rejectsBefore?: string;
  readonly runsBefore?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** What is under way when Ctrl-C is pressed ends first: a transaction of a second or less. */
const GRACE_MS = 5_000;

export const define = (command: Command): Command =>
  command
    .option("--before <day>", "remove the events of all UTC days before this one, e.g. 2026-06-01")
    .option("--rejects-before <day>", "remove what quarantine kept of texts before this day")
    .option("--runs-before <day>", "remove the records of runs before this day")
    .option("--dry-run", "say what would be removed, and remove nothing")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nRollups of removed days stay as they are, and late events of such a day count as expired. While there are files in\nthe lake, a day goes only when its file is all that the table holds of it.",
    )
    .action(pruneCommand);

async function pruneCommand(options: PruneCommandOptions): Promise<void> {
  const { dryRun = false, json = false } = options;
  const before = dayOption(options.before, "--before");
  const records = {
    rejectsBefore: dayOption(options.rejectsBefore, "--rejects-before"),
    runsBefore: dayOption(options.runsBefore, "--runs-before"),
  };
  if (!before && !records.rejectsBefore && !records.runsBefore)
    throw new UsageError("prune needs --before, --rejects-before or --runs-before: say what to remove.");
  if (dryRun && !before) throw new UsageError("--dry-run goes with --before.");
  if (before) assertClosed(before, readLookbackHours(process.env), new Date());
  await withWarehouse({ quiet: json, graceMs: GRACE_MS }, async ({ pool }, signal) => {
    const lake = await hasExports(pool);
    if (dryRun && before) return print(await previewPrune(pool, { before, lake }), previewText, json);
    const isTimeUp = () => signal.aborted;
    const events = before ? await prune(pool, { before, lake, isTimeUp }) : null;
    const removed = await pruneRecords(pool, records, isTimeUp);
    print({ ...(events ?? NO_EVENTS), records: removed }, resultText, json);
    if (signal.aborted) process.exitCode = EXIT.interrupted;
    else if (events && !events.isDone) process.exitCode = EXIT.failed;
  });
}

const NO_EVENTS: PruneResult = { rows: 0, keptFrom: null, waits: null, isDone: true };

function dayOption(text: string | undefined, option: string): Date | undefined {
  if (text === undefined) return undefined;
  const day = new Date(`${text}T00:00:00Z`);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && day.toJSON()?.startsWith(text)) return day;
  throw new UsageError(`${option} must be a day such as 2026-06-01, not "${text}".`);
}

const print = <T extends object>(result: T, text: (result: T) => string, json: boolean): void =>
  json ? printJson(result) : console.log(text(result));

const previewText = ({ rows, days, waits }: PrunePreview): string =>
  [
    `Dry run, nothing was removed. ${count(rows)} events of ${count(days.length)} days would go.`,
    ...(days.length > 0
      ? [
          table(
            ["day", "events"],
            days.map(({ day, rows }) => [day, count(rows)]),
          ),
        ]
      : []),
    ...(waits ? [waitText(waits)] : []),
  ].join("\n");

function resultText(result: PruneResult & { readonly records: { rejects: number; runs: number } }): string {
  const { rows, keptFrom, waits, records, isDone } = result;
  return [
    `Removed ${count(rows)} events, ${count(records.rejects)} texts of quarantine and ${count(records.runs)} records of runs.`,
    ...(keptFrom ? [`Events are kept from ${keptFrom.toISOString().slice(0, 10)} on.`] : []),
    ...(waits ? [waitText(waits)] : []),
    ...(isDone || waits ? [] : ["It was stopped: the same command goes on from there."]),
  ].join("\n");
}
