import type { Command } from "commander";
import { type RollupReport, refreshRollups, type VerifyReport, verify, verifyRollups } from "etl-lib";
import { EXIT } from "../shared/failure.js";
import { count, oneLine, table } from "../shared/format.js";
import { addSourceOptions, jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withWarehouse } from "../shared/warehouse.js";
import { type SourceOptions, select } from "./source.js";

export const define = (command: Command): Command =>
  addSourceOptions(command)
    .addOption(jsonOption())
    .action(async (options: SourceOptions & { json?: boolean }) => {
      const selection = await select(options);
      const [report, rollups] = await withWarehouse({ quiet: options.json }, async ({ pool }) => {
        await refreshRollups(pool); // what a killed run left behind is no gap
        return Promise.all([verify(pool, selection), verifyRollups(pool)]);
      });
      const hasGaps = report.hasGaps || rollups.differences.length > 0;
      if (options.json) printJson({ ...report, rollups, hasGaps });
      else console.log([reportText(report, selection.description), rollupsText(rollups)].join("\n"));
      process.exitCode = hasGaps ? EXIT.failed : EXIT.done;
    });

function reportText({ hours, table: totals, gaps, hasGaps }: VerifyReport, description: string): string {
  const head = [
    "hour",
    "objects",
    "loaded",
    "missing",
    "changed",
    "mismatched",
    "read",
    "inserted",
    "duplicates",
    "rejected",
  ];
  const rows = hours.map((hour) => [
    hour.hour,
    ...[hour.objects, hour.loaded, hour.missing, hour.changed, hour.mismatched].map(count),
    ...[hour.read, hour.inserted, hour.duplicates, hour.rejected].map(count),
  ]);
  return [
    `Source: ${description}`,
    table(head, rows),
    `The ledger counts ${count(totals.ledgerInserted)} events inserted, the table holds ${count(totals.rows)} rows.`,
    ...(hasGaps
      ? [
          table(
            ["gap", "object", "what"],
            gaps.map(({ kind, key, detail }) => [kind, oneLine(key ?? "–", 60), detail]),
          ),
          "Missing and changed objects are loaded by `run` over the same window.",
        ]
      : ["No gap between source, ledger and table."]),
  ].join("\n");
}

function rollupsText({ differences }: RollupReport): string {
  if (differences.length === 0) return "Every rollup equals what the raw rows say.";
  const rows = differences.map(({ rollup, missing, surplus, examples }) => [
    rollup,
    count(missing),
    count(surplus),
    oneLine(JSON.stringify(examples[0]?.row), 80),
  ]);
  return [
    table(["rollup", "missing rows", "surplus rows", "for example"], rows),
    "`rollups rebuild` makes them anew from the raw rows.",
  ].join("\n");
}
