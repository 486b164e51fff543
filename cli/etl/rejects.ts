import { type Command, Option } from "commander";
import {
  listRejects,
  REJECT_CAUSES,
  type RejectCause,
  type RejectRow,
  type RunSummary,
  rejectedObjects,
} from "etl-lib";
import { parseDuration } from "../shared/duration.js";
import { UsageError } from "../shared/failure.js";
import { count, oneLine, table, time } from "../shared/format.js";
import { addSourceOptions, jsonOption, wholeNumber } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withWarehouse } from "../shared/warehouse.js";
import { exitCode, GRACE_MS, load } from "./run.js";
import { type SourceOptions, select } from "./source.js";
import { summaryText } from "./summary.js";

export function define(command: Command): void {
  defineList(command.command("list"));
  defineRequeue(command.command("requeue"));
}

const causeOption = () => new Option("--cause <cause>", "only this cause").choices(REJECT_CAUSES);

const defineList = (command: Command): Command =>
  command
    .description("What was rejected, newest first, with its raw text.")
    .addOption(causeOption())
    .option("--key <key>", "only of this object")
    .option("--last <time>", "only rejected in this time, e.g. 24h")
    .option("--limit <n>", "rows at most", wholeNumber(1, 100_000), 50)
    .addOption(jsonOption())
    .action(
      async (options: {
        cause?: RejectCause;
        key?: string;
        last?: string;
        limit: number;
        json?: boolean;
      }) => {
        const since = options.last ? new Date(Date.now() - parseDuration(options.last, "--last")) : undefined;
        const rows = await withWarehouse({ quiet: options.json }, ({ pool }) =>
          listRejects(pool, { ...options, since }),
        );
        if (options.json) printJson({ rejects: rows });
        else console.log(listText(rows));
      },
    );

function listText(rows: readonly RejectRow[]): string {
  if (rows.length === 0) return "Nothing in quarantine matches.";
  return table(
    ["rejected", "cause", "object", "#", "requeued", "detail", "raw"],
    rows.map((row) => [
      time(row.rejectedAt),
      row.cause,
      row.key,
      count(row.position),
      row.requeuedAt ? time(row.requeuedAt) : "",
      oneLine(row.detail, 40),
      oneLine(row.raw, 60),
    ]),
  );
}

const defineRequeue = (command: Command): Command =>
  addSourceOptions(command)
    .description("Read the objects of rejects again after a fix, without a duplicate.")
    .addOption(causeOption())
    .option("--key <key>", "only this object")
    .addOption(jsonOption())
    .action(async (options: SourceOptions & { cause?: RejectCause; key?: string; json?: boolean }) => {
      if (!options.cause && !options.key)
        throw new UsageError("requeue needs --cause or --key: say what was fixed.");
      const selection = await select(options);
      const quiet = options.json ?? false;
      const gone: string[] = [];
      const summary = await withWarehouse({ quiet, graceMs: GRACE_MS }, ({ pool }, signal) => {
        const source = rejectedObjects(pool, selection.source, options, (key) => gone.push(key));
        const again = { ...selection, source, window: null, description: "the objects of these rejects" };
        return load(pool, again, { quiet, reload: true, signal });
      });
      if (options.json) printJson({ ...summary, gone });
      else console.log(requeueText(summary, gone));
      process.exitCode = exitCode(summary, false);
    });

const LISTED = 20;
const listed = (keys: readonly string[]): string =>
  keys.slice(0, LISTED).join(", ") + (keys.length > LISTED ? ` and ${count(keys.length - LISTED)} more` : "");

const requeueText = (summary: RunSummary, gone: readonly string[]): string =>
  [
    summaryText(summary),
    ...(gone.length > 0 ? [`No longer in the source, left as they are: ${listed(gone)}`] : []),
  ].join("\n");
