import { count, table } from "../shared/format.js";
import type { Progress } from "../shared/progress.js";
import type { BackfillReport } from "./backfill.js";

/** Windows measure the work. */
export function progressOf(report: BackfillReport): Progress {
  const { total, sums, failed } = report;
  const done = endedOf(report);
  const parts = [
    `${count(done)}/${count(total)} windows`,
    `${count(sums.read)} events`,
    `${count(failed.length)} failed`,
  ];
  return { total, done, parts };
}

const endedOf = ({ done, failed }: BackfillReport): number => done + failed.length;

/** The sums, what failed with its reason, and what to do about it. */
export function reportText(report: BackfillReport, options: { dryRun: boolean }): string {
  const { sums, failed, total, done, resumed } = report;
  const left = total - endedOf(report);
  const rows = [
    [
      "windows",
      `${count(done)} of ${count(total)}${resumed > 0 ? `, ${count(resumed)} of them earlier` : ""}`,
    ],
    ["invocations", count(sums.invocations)],
    ["objects loaded", count(sums.objects)],
    ["events read", count(sums.read)],
    [options.dryRun ? "would insert" : "inserted", count(sums.inserted)],
    ["duplicates", count(sums.duplicates)],
    ["rejected", count(sums.rejected)],
  ];
  const failures = failed.map(({ from, to, reason }) => `✘ ${from} – ${to}  ${reason}`);
  return [
    `${options.dryRun ? "Dry run, nothing was written.\n" : ""}${table(["backfill", ""], rows)}`,
    ...(failures.length > 0 ? ["", ...failures] : []),
    ...(left > 0 ? ["", `Stopped: ${count(left)} windows were not started.`] : []),
    ...(left + failed.length > 0 && !options.dryRun
      ? ["", "Give the same command again: it goes on with what is not done."]
      : []),
  ].join("\n");
}
