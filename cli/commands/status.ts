import { Command } from "commander";
import { status, type WarehouseStatus } from "etl-lib";
import { count, duration, table, time } from "../format.js";
import { type SourceOptions, select } from "../source.js";
import { withWarehouse } from "../with-target.js";
import { addSourceOptions, jsonOption } from "./options.js";

export const statusCommand = (): Command =>
  addSourceOptions(
    new Command("status").description("Freshness, last runs, pending objects and reject counts."),
  )
    .addOption(jsonOption())
    .action(async (options: SourceOptions & { json?: boolean }) => {
      const selection = await select(options, process.env);
      const report = await withWarehouse(options.json ?? false, ({ pool }) => status(pool, selection));
      console.log(options.json ? JSON.stringify(report) : statusText(report, selection.description));
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
