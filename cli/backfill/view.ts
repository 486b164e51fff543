import { Presets, SingleBar } from "cli-progress";
import { count, duration, table } from "../format.js";
import type { BackfillReport } from "./backfill.js";

/** Shows a backfill on stderr: a bar on a terminal, a line per window elsewhere. */
export interface BackfillView {
  update(report: BackfillReport): void;
  stop(): void;
}

const FORMAT = " {bar} {percentage}% │ {value}/{total} windows │ {events} events │ {failed} failed │ {left}";

export function backfillView(): BackfillView {
  return process.stderr.isTTY ? barView() : lineView();
}

function barView(): BackfillView {
  const bar = new SingleBar(
    { format: FORMAT, hideCursor: true, stream: process.stderr, fps: 4 },
    Presets.rect,
  );
  const since = performance.now();
  let started = false;
  return {
    update(report) {
      const ended = endedOf(report);
      const now = ended - report.resumed;
      const leftMs = now > 0 ? ((performance.now() - since) / now) * (report.total - ended) : null;
      const left = leftMs === null ? "" : `${duration(leftMs)} left`;
      const values = { events: count(report.sums.read), failed: count(report.failed.length), left };
      if (!started) bar.start(report.total, ended, values);
      started = true;
      bar.update(ended, values);
    },
    stop: () => bar.stop(),
  };
}

function lineView(): BackfillView {
  return {
    update(report) {
      const { sums, failed, total } = report;
      const line = `${count(endedOf(report))}/${count(total)} windows, ${count(sums.read)} events, ${count(failed.length)} failed`;
      console.error(line);
    },
    stop() {},
  };
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
