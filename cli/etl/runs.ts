import type { Command } from "commander";
import { findRuns, listRuns, type RunDetails } from "etl-lib";
import { UsageError } from "../shared/failure.js";
import { count, duration, table, time } from "../shared/format.js";
import { jsonOption, wholeNumber } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withReadableWarehouse } from "../shared/warehouse.js";
import { runsTable, statusWord } from "./runs-table.js";
import { repairsTable } from "./summary.js";

export function define(command: Command): void {
  command
    .command("list")
    .description("The last runs, newest first.")
    .option("--limit <n>", "runs at most", wholeNumber(1, 10_000), 20)
    .addOption(jsonOption())
    .action(list);
  command
    .command("show")
    .description("All that is recorded of a run: timings by stage, objects, errors, warnings.")
    .argument("<id>", "the run's id, or how it begins")
    .addOption(jsonOption())
    .action(show);
}

async function list({ limit, json }: { limit: number; json?: true }): Promise<void> {
  const runs = await withReadableWarehouse({ quiet: json }, ({ pool }) => listRuns(pool, limit));
  if (json) printJson({ runs });
  else console.log(runs.length > 0 ? runsTable(runs) : "There was no run yet.");
}

async function show(id: string, { json }: { json?: true }): Promise<void> {
  const [run, other] = await withReadableWarehouse({ quiet: json }, ({ pool }) => findRuns(pool, id));
  if (run === undefined) throw new UsageError(`There is no run ${id}: \`runs list\` shows the last ones.`);
  if (other !== undefined) throw new UsageError(`More than one run begins with ${id}: give more of its id.`);
  if (json) printJson(run);
  else console.log(detailsText(run));
}

function detailsText(run: RunDetails): string {
  const { objects, events, timings, warnings, errors } = run;
  const took = run.finishedAt && duration(run.finishedAt.getTime() - run.startedAt.getTime());
  const place = `${run.bucket}${run.prefix ? `, prefix ${run.prefix}` : ""}`;
  const window = run.windowFrom ? `, ${time(run.windowFrom)} to ${time(run.windowTo)}` : "";
  const pairs = (counts: object) =>
    Object.entries(counts)
      .map(([name, n]) => `${name} ${count(Number(n))}`)
      .join(", ") || "–";
  const rows = [
    ["status", statusWord(run.status)],
    ["started", `${time(run.startedAt)}${took ? `, took ${took}` : ", not ended"}, trigger ${run.trigger}`],
    ["source", `${place}${window}`],
    ["objects", pairs(objects)],
    ["events", pairs(events)],
    ["rejects", pairs(run.rejects)],
    [
      "waited for",
      Object.entries(timings)
        .map(([stage, ms]) => `${stage.replace(/Ms$/, "")} ${duration(ms)}`)
        .join(", ") || "–",
    ],
  ];
  return [
    table(["run", { name: run.runId, wrapTo: 40 }], rows),
    ...repairsTable(warnings),
    ...errors.map(({ stage, message }) => `${stage}: ${message}`),
  ].join("\n");
}
