import type { Command } from "commander";
import { type EventCounts, type RollupReport, type VerifyReport, verify, verifyRollups } from "etl-lib";
import { EXIT } from "../shared/failure.js";
import { count, oneLine, paint, table } from "../shared/format.js";
import { addSourceOptions, jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withReadableWarehouse } from "../shared/warehouse.js";
import { type SourceOptions, select } from "./source.js";

export const define = (command: Command): Command =>
  addSourceOptions(command)
    .addOption(jsonOption())
    .action(async (options: SourceOptions & { json?: boolean }) => {
      const selection = await select(options);
      const [report, rollups] = await withReadableWarehouse({ quiet: options.json }, async ({ pool }) => {
        return Promise.all([verify(pool, selection), verifyRollups(pool)]);
      });
      // What is loaded and not refreshed yet is no gap.
      const hasGaps = report.hasGaps || (rollups.differences.length > 0 && rollups.staleHours === 0);
      if (options.json) printJson({ ...report, rollups, hasGaps });
      else console.log([reportText(report, selection.description), rollupsText(rollups)].join("\n"));
      process.exitCode = hasGaps ? EXIT.failed : EXIT.done;
    });

/** What brings each kind of gap back. */
const REMEDIES: Readonly<Record<string, string>> = {
  missing: "`run` over the same window loads them",
  changed: "`run` over the same window loads what they are now",
  rejects_mismatch: "`run --reload --key KEY` reads such an object again",
  rows_missing:
    "`run --reload --key KEY`, or --from and --to, reads such objects again and brings back what is missing",
  unreadable: "it cannot be compared: see why, and run `verify` again",
  hour_mismatch:
    "rows that are missing come back with their objects; rows that no load brought stay until they are deleted by hand",
  details_mismatch:
    "details that are missing come back with their objects, `run --reload --from … --to …`; those that no load brought stay until they are deleted by hand",
  table_mismatch:
    "the ledger was changed by hand: the table neither lacks rows nor has too many because of it",
};

/** What differs, and nothing else; in one line what does not. */
function reportText({ hours, gaps, hasGaps, table: totals }: VerifyReport, source: string): string {
  const differing = hours.filter(
    ({ missing, changed, mismatched, lacking }) => missing + changed + mismatched + lacking > 0,
  );
  const sum = (column: "objects" | "loaded" | keyof EventCounts) =>
    count(hours.reduce((total, hour) => total + hour[column], 0));
  return [
    `${sum("loaded")} of ${sum("objects")} objects of ${source} are loaded: ${sum("read")} events read = ${sum("inserted")} inserted + ${sum("duplicates")} duplicates + ${sum("rejected")} rejected + ${sum("expired")} expired.`,
    `The ledger counts ${count(totals.ledgerInserted)} events inserted${takenOutText(totals)}, the table holds ${count(totals.rows)} rows; ${hoursText(totals.mismatchedHours)}.`,
    ...(totals.withoutDetails > 0 ? [withoutDetailsText(totals.withoutDetails)] : []),
    ...(differing.length > 0 ? [hoursTable(differing)] : []),
    ...(hasGaps ? [gapsText(gaps)] : [paint("green", "No gap between source, ledger and table.")]),
  ].join("\n");
}

const hoursTable = (hours: VerifyReport["hours"]): string =>
  table(
    [
      "hour",
      { name: "objects", drop: 1 },
      { name: "loaded", drop: 2 },
      "missing",
      "changed",
      "mismatched",
      "lacking",
    ],
    hours.map(({ hour, objects, loaded, missing, changed, mismatched, lacking }) => [
      hour,
      ...[objects, loaded, missing, changed, mismatched, lacking].map(count),
    ]),
  );

function gapsText(gaps: VerifyReport["gaps"]): string {
  const kinds = [...new Set(gaps.map(({ kind }) => kind))];
  const head = ["gap", { name: "object", wrapTo: 24 }, { name: "what", wrapTo: 20 }];
  return [
    table(
      head,
      gaps.map(({ kind, key, detail }) => [paint("red", kind), key ?? "–", detail]),
    ),
    ...kinds.map((kind) => `${kind}: ${REMEDIES[kind] ?? "see docs/runbook.md"}.`),
  ].join("\n");
}

const takenOutText = ({ pruned, erased }: VerifyReport["table"]): string =>
  [
    ...(pruned > 0 ? [`, less ${count(pruned)} pruned`] : []),
    ...(erased > 0 ? [`, less ${count(erased)} erased`] : []),
  ].join("");

const withoutDetailsText = (events: number): string =>
  `${count(events)} events have no details: they were loaded by an earlier version, or with \`--no-details\`; \`run --reload --from … --to …\` fills them in.`;

const hoursText = (hours: number): string =>
  hours === 0 ? "each hour holds what was loaded" : `${count(hours)} hours hold other rows than were loaded`;

function rollupsText({ differences, staleHours }: RollupReport): string {
  if (staleHours > 0)
    return `${count(staleHours)} hours are loaded and not in the rollups yet: the next run, or \`rollups refresh\`, brings them up to date; verify then compares them.`;
  if (differences.length === 0) return paint("green", "Every rollup equals what the raw rows say.");
  const rows = differences.map(({ rollup, missing, surplus, examples }) => [
    rollup,
    count(missing),
    count(surplus),
    oneLine(JSON.stringify(examples[0]?.row), 80),
  ]);
  const example = { name: "for example", wrapTo: 20, drop: 1 };
  return [
    table(["rollup", "missing rows", "surplus rows", example], rows),
    "rollups: `rollups rebuild` builds them again from the raw rows.",
  ].join("\n");
}
