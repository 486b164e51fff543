import { type Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../shared/failure.js";
import { count, duration, table } from "../shared/format.js";
import { jsonOption, wholeNumber } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { progressView } from "../shared/progress.js";
import { DEFAULTS } from "./generate.js";
import { LAYOUTS, type Layout } from "./layouts.js";
import { type SampleReport, writeSample } from "./write-sample.js";

interface SampleCommandOptions {
  readonly events: number;
  readonly layout: Layout;
  readonly dirty: number;
  readonly seed: string;
  readonly out: string;
  readonly from: Date;
  readonly days: number;
  readonly story?: boolean;
  readonly json?: boolean;
}

const WORTH_A_BAR = 50_000;
const LAYOUT_HELP =
  "object: one event each, as the ingest function writes; ndjson, array: files of a day; mixed: a compressed file a day, and the last 12 hours one event each";

export const define = (command: Command): Command =>
  command
    .requiredOption("--out <dir>", "the folder that stands for the bucket; files in it are kept")
    .option(
      "--events <n>",
      "how many events, duplicates and rejects included",
      wholeNumber(1, 100_000_000),
      10_000,
    )
    .addOption(new Option("--layout <layout>", LAYOUT_HELP).choices(LAYOUTS).default("ndjson"))
    .option("--dirty <share>", "share of events that are duplicated, damaged or odd, 0 to 1", share, 0.01)
    .option("--seed <text>", "another seed makes other events", `${DEFAULTS.seed}`)
    .addOption(
      new Option("--from <time>", "the first day begins here, ISO 8601 in UTC")
        .argParser(instant)
        .default(DEFAULTS.from, "2026-11-18"),
    )
    .option("--days <n>", "spread over so many days", wholeNumber(1, 3660), DEFAULTS.days)
    .option("--story", "sixty days with a campaign, a bad deploy, a bot storm and a late day")
    .addOption(jsonOption())
    .action(sample);

function sample({ json = false, ...options }: SampleCommandOptions): void {
  if (options.out.trim() === "") throw new UsageError("--out is empty: it has to name a folder.");
  if (options.out.startsWith("s3://"))
    throw new UsageError(
      `--out takes a folder, not ${options.out}: write it there, then aws s3 cp --recursive FOLDER ${options.out}.`,
    );
  const start = Date.now();
  const total = options.events;
  const view = progressView({ quiet: total < WORTH_A_BAR || !process.stderr.isTTY });
  const report = writeSample(options, (done) =>
    view.update({ total, done, parts: [`${count(done)}/${count(total)} events`] }),
  );
  view.stop();
  if (json) printJson(report);
  else console.log(`${reportText(report)}\n${duration(Date.now() - start)}`);
}

function reportText(report: SampleReport): string {
  const causes = Object.entries(report.rejects).map(([cause, n]) => [`rejected: ${cause}`, count(n)]);
  return [
    `Made in ${report.out}, layout ${report.layout}, seed ${report.seed}. A run over it has to count:`,
    table(
      ["", ""],
      [
        ["objects", count(report.objects)],
        ["of them late", count(report.lateObjects)],
        ["bytes", count(report.bytes)],
        ["events read", count(report.events)],
        ["inserted", count(report.rows)],
        ["of them repaired", count(report.repaired)],
        ["duplicates", count(report.duplicates)],
        ...causes,
      ],
    ),
  ].join("\n");
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("It must be a number between 0 and 1.");
}

function instant(text: string): Date {
  const date = new Date(/T.*(Z|[+-]\d{2}:?\d{2})$/.test(text) || !text.includes("T") ? text : `${text}Z`);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new InvalidArgumentError("It must be an ISO 8601 time in UTC such as 2026-11-18.");
}
