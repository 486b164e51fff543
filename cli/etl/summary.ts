import type { RunSummary, Warnings } from "etl-lib";
import { count, duration, table } from "../shared/format.js";

const HEADLINES = {
  succeeded: "Loaded all there was.",
  partial: "Loaded a part: the next run loads the rest.",
  skipped: "Nothing new.",
  interrupted: "Interrupted.",
  failed: "Failed; what was committed before stays.",
} as const;

/** What a run did, as a person wants to read it. */
export function summaryText(summary: RunSummary): string {
  const { events, objects, durationMs } = summary;
  const rate = durationMs > 0 ? (events.read / durationMs) * 1000 : 0;
  return [
    `${summary.dryRun ? "Dry run, nothing was written. " : ""}${HEADLINES[summary.status]}`,
    table(
      ["objects", "", "events", ""],
      [
        ["listed", count(objects.listed), "read", count(events.read)],
        [
          "already loaded",
          count(objects.alreadyLoaded),
          summary.dryRun ? "would insert" : "inserted",
          count(events.inserted),
        ],
        ["loaded", count(objects.loaded), "duplicates", count(events.duplicates)],
        ["failed", count(objects.failed), "rejected", count(events.rejected)],
        ["remaining", count(objects.remaining), "expired", count(events.expired)],
      ],
    ),
    ...detailTables(summary),
    `${duration(durationMs)}, ${count(rate)} events/s, run ${summary.runId}`,
    ...summary.errors.map(({ stage, message }) => `${stage}: ${message}`),
  ].join("\n");
}

/** For whoever pressed Ctrl-C. */
export const interruptionText = ({ dryRun, events }: RunSummary): string =>
  dryRun
    ? "Interrupted. Nothing was written."
    : `Interrupted. ${count(events.inserted)} events stay; run again to go on.`;

function detailTables({ rejects, warnings, contract, dryRun }: RunSummary): string[] {
  const causes = Object.entries(rejects).map(([cause, n]) => [cause, count(n)]);
  const kept = dryRun ? "rejected" : "rejected, kept in quarantine (`rejects list` shows them)";
  return [
    ...(causes.length > 0 ? [`\n${kept}`, table(["cause", "events"], causes)] : []),
    ...repairsTable(warnings),
    ...contractText(contract),
  ];
}

function contractText({ checked, findings }: RunSummary["contract"]): string[] {
  if (findings.length === 0) return [];
  return [
    `\n${count(checked)} events were checked against the contract; they differ in ${count(findings.length)} ways (\`status\` lists them)`,
  ];
}

export function repairsTable(warnings: Warnings): string[] {
  const repairs = Object.entries(warnings).flatMap(([column, byCause]) =>
    Object.entries(byCause).map(([cause, n]) => [column, cause, count(n ?? 0)]),
  );
  return repairs.length > 0 ? ["\nrepaired on the way", table(["column", "cause", "values"], repairs)] : [];
}
