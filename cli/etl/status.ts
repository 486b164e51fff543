import type { Command } from "commander";
import { type LookbackState, status, type WarehouseStatus } from "etl-lib";
import { count, duration, oneLine, paint, table, time } from "../shared/format.js";
import { addSourceOptions, jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withReadableWarehouse } from "../shared/warehouse.js";
import { runsTable } from "./runs-table.js";
import { type SourceOptions, select } from "./source.js";

export const define = (command: Command): Command =>
  addSourceOptions(command)
    .addOption(jsonOption())
    .action(async (options: SourceOptions & { json?: boolean }) => {
      const selection = await select(options);
      const report = await withReadableWarehouse({ quiet: options.json }, ({ pool }) =>
        status(pool, selection),
      );
      if (options.json) printJson(report);
      else console.log(statusText(report, selection.description));
    });

/** How things stand, in sentences; then the runs. */
function statusText(report: WarehouseStatus, source: string): string {
  const { events, newestEvent, newestLoad, pendingObjects, rejects, lookback, runs, drift } = report;
  if (runs.length === 0 && events === 0) return "Nothing was loaded yet: `run` does it.";
  const ago = (at: Date) => `${duration(Date.now() - at.getTime())} ago`;
  const causes = Object.entries(rejects).map(([cause, n]) => `${cause} ${count(n)}`);
  return [
    `The warehouse holds ${count(events)} events${newestEvent ? `; the newest is of ${time(newestEvent)}, ${ago(newestEvent)}` : ""}.`,
    newestLoad ? `The last object was loaded ${ago(newestLoad)}.` : "No object was loaded yet.",
    pendingObjects
      ? paint(
          "yellow",
          `${count(pendingObjects)} objects of ${source} are waiting to be loaded: \`run\` does it.`,
        )
      : `Nothing of ${source} is waiting to be loaded.`,
    ...(lookback ? [sweepText(lookback, ago)] : []),
    causes.length > 0
      ? `In quarantine: ${causes.join(", ")}. \`rejects list\` shows them.`
      : "Nothing is in quarantine.",
    ...(runs.length > 0 ? [runsTable(runs)] : []),
    ...(drift.length > 0 ? [driftText(drift)] : []),
  ].join("\n");
}

/** Text of a stranger: names of events and fields may be anything. */
const driftText = (drift: WarehouseStatus["drift"]): string =>
  [
    "Events of the last day that differ from the contract, of those that were checked:",
    table(
      ["event", "field", "differs by", "events", "since"],
      drift.map(({ event, field, kind, events, since }) => [
        ...[event, field, kind].map((text) => oneLine(text, 40)),
        count(events),
        time(since),
      ]),
    ),
  ].join("\n");

function sweepText({ sweptAt, sweepStartedAt }: LookbackState, ago: (at: Date) => string): string {
  const last = sweptAt
    ? `Late objects were last swept for ${ago(sweptAt)}`
    : "The look-back has not been swept for late objects yet";
  return sweepStartedAt ? `${last}; a sweep is under way since ${time(sweepStartedAt)}.` : `${last}.`;
}
