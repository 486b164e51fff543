import { type Command, Option } from "commander";
import {
  findReject,
  listRejects,
  REJECT_CAUSES,
  type RejectCause,
  type RejectRow,
  type RunSummary,
  rejectedObjects,
  resolveRejects,
} from "etl-lib";
import { parseDuration } from "../shared/duration.js";
import { UsageError } from "../shared/failure.js";
import { count, oneLine, paint, printable, time } from "../shared/format.js";
import { addSourceOptions, jsonOption, wholeNumber } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withReadableWarehouse, withWarehouse } from "../shared/warehouse.js";
import { exitCode, GRACE_MS, load } from "./run.js";
import { type SourceOptions, select } from "./source.js";
import { summaryText } from "./summary.js";

export function define(command: Command): void {
  defineList(command.command("list"));
  defineShow(command.command("show"));
  defineRequeue(command.command("requeue"));
  defineResolve(command.command("resolve"));
}

const causeOption = () => new Option("--cause <cause>", "only this cause").choices(REJECT_CAUSES);
const rejectId = wholeNumber(1, Number.MAX_SAFE_INTEGER);

interface ListOptions {
  readonly cause?: RejectCause;
  readonly key?: string;
  readonly last?: string;
  readonly limit: number;
  readonly all?: true;
  readonly json?: true;
}

const defineList = (command: Command): Command =>
  command
    .description("What was rejected, newest first.")
    .addOption(causeOption())
    .option("--key <key>", "only of this object")
    .option("--last <time>", "only rejected in this time, e.g. 24h")
    .option("--all", "also what was read again since, or is resolved")
    .option("--limit <n>", "rejects at most", wholeNumber(1, 100_000), 50)
    .addOption(jsonOption())
    .action(list);

async function list(options: ListOptions): Promise<void> {
  const since = options.last ? new Date(Date.now() - parseDuration(options.last, "--last")) : undefined;
  const rejects = await withReadableWarehouse({ quiet: options.json }, ({ pool }) =>
    listRejects(pool, { ...options, since }),
  );
  if (options.json) printJson({ rejects });
  else console.log(listText(rejects));
}

/** By source, two lines each: the key whole, for it is what \`--key\` takes. */
function listText(rejects: readonly RejectRow[]): string {
  if (rejects.length === 0) return "Nothing in quarantine matches.";
  const width = Math.min(process.stdout.columns ?? 120, 160);
  const lines = [...new Set(rejects.map(({ bucket }) => bucket))].flatMap((bucket) => [
    paint("bold", `--source ${sourceOf(bucket)}`),
    ...rejects
      .filter((reject) => reject.bucket === bucket)
      .flatMap((reject) => [
        `  ${headText(reject)}`,
        `    ${oneLine(`${reject.detail}  ${reject.raw}`, width - 4)}`,
      ]),
  ]);
  return [
    ...lines,
    "`rejects show ID` shows one whole; `rejects requeue --source … --key …` reads its object again.",
  ].join("\n");
}

const headText = ({ id, cause, key, position, requeuedAt, resolvedAt }: RejectRow): string =>
  `${id}  ${paint("yellow", cause)}  ${key} #${position}${requeuedAt ? "  read again" : resolvedAt ? "  resolved" : ""}`;

/** A bucket of the ledger as \`--source\` takes it. */
const sourceOf = (bucket: string): string =>
  bucket.startsWith("file://")
    ? bucket.slice("file://".length)
    : bucket === "stdin:"
      ? "-"
      : `s3://${bucket}`;

const defineShow = (command: Command): Command =>
  command
    .description("One reject with its whole text.")
    .argument("<id>", "its number in the list", rejectId)
    .addOption(jsonOption())
    .action(async (id: number, { json }: { json?: true }) => {
      const reject = await withReadableWarehouse({ quiet: json }, ({ pool }) => findReject(pool, id));
      if (reject === undefined)
        throw new UsageError(`There is no reject ${id}: \`rejects list\` shows what there is.`);
      if (json) return printJson(reject);
      const { bucket, rejectedAt, detail, raw } = reject;
      console.log(
        `${headText(reject)}\n--source ${sourceOf(bucket)}, rejected ${time(rejectedAt)}\n${detail}\n\n${printable(raw)}`,
      );
    });

interface ResolveOptions {
  readonly cause?: RejectCause;
  readonly key?: string;
  readonly json?: true;
}

const defineResolve = (command: Command): Command =>
  command
    .description("Mark rejects as dealt with. They stay in quarantine, and so do the counts.")
    .argument("[id]", "its number in the list", rejectId)
    .addOption(causeOption())
    .option("--key <key>", "all of this object")
    .addOption(jsonOption())
    .action(async (id: number | undefined, { cause, key, json }: ResolveOptions) => {
      if (id === undefined && !cause && !key)
        throw new UsageError("resolve needs an id, --cause or --key: say which.");
      const resolved = await withWarehouse({ quiet: json }, ({ pool }) =>
        resolveRejects(pool, { id, cause, key }),
      );
      if (json) printJson({ resolved });
      else console.log(`Resolved ${count(resolved)} rejects.`);
    });

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
