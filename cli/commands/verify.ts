import { Command } from "commander";
import { type VerifyReport, verify } from "etl-lib";
import { EXIT } from "../exit.js";
import { count, oneLine, table } from "../format.js";
import { type SourceOptions, select } from "../source.js";
import { withWarehouse } from "../with-target.js";
import { addSourceOptions, jsonOption } from "./options.js";

export const verifyCommand = (): Command =>
  addSourceOptions(
    new Command("verify").description(
      "Compare source, ledger and table by hour; exit 1 when there is a gap.",
    ),
  )
    .addOption(jsonOption())
    .action(async (options: SourceOptions & { json?: boolean }) => {
      const selection = await select(options, process.env);
      const report = await withWarehouse(options.json ?? false, ({ pool }) => verify(pool, selection));
      console.log(options.json ? JSON.stringify(report) : reportText(report, selection.description));
      process.exitCode = report.hasGaps ? EXIT.failed : EXIT.done;
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
      : ["No gap."]),
  ].join("\n");
}
