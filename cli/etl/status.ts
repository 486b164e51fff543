import type { Command } from "commander";
import { status, type WarehouseStatus } from "etl-lib";
import { count, duration, table, time } from "../shared/format.js";
import { addSourceOptions, jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withWarehouse } from "../shared/warehouse.js";
import { type SourceOptions, select } from "./source.js";

export const define = (command: Command): Command =>
  addSourceOptions(command)
    .addOption(jsonOption())
    .action(async (options: SourceOptions & { json?: boolean }) => {
      const selection = await select(options);
      const report = await withWarehouse({ quiet: options.json }, ({ pool }) => status(pool, selection));
      if (options.json) printJson(report);
      else console.log(statusText(report, selection.description));
    });

function statusText(
  { events, newestEvent, newestLoad, pendingObjects, rejects, runs }: WarehouseStatus,
  source: string,
) {
  const ages = (value: Date | null) =>
    value ? `${time(value)} (${duration(Date.now() - value.getTime())} ago)` : "–";
  const causes = Object.entries(rejects).map(([cause, n]) => `${cause} ${count(n)}`);
  return [
    table(
      ["warehouse", ""],
      [
        ["events", count(events)],
        ["newest event", ages(newestEvent)],
        ["newest object loaded", ages(newestLoad)],
        ["pending objects", `${count(pendingObjects ?? 0)} in ${source}`],
        ["in quarantine", causes.join(", ") || "nothing"],
      ],
    ),
    table(
      ["started", "trigger", "status", "loaded", "inserted", "duplicates", "rejected", "error"],
      runs.map((run) => [
        time(run.startedAt),
        run.trigger,
        run.status,
        ...[run.objects.loaded, run.events.inserted, run.events.duplicates, run.events.rejected].map((n) =>
          count(n ?? 0),
        ),
        run.error?.message ?? "",
      ]),
    ),
  ].join("\n");
}
