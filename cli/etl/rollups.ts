import type { Command } from "commander";
import { rebuildRollups, refreshRollups, UNHURRIED } from "etl-lib";
import { count, duration } from "../shared/format.js";
import { jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withWarehouse } from "../shared/warehouse.js";

export const define = (command: Command): Command => {
  make(command.command("refresh"), refreshRollups).description(
    "Bring the rollups up to date, without the time limit of a run.",
  );
  make(command.command("rebuild"), rebuildRollups).description(
    "Rebuild every rollup from the raw rows, each hour in its place; if it is stopped, the next run goes on.",
  );
  return command;
};

const make = (command: Command, work: typeof refreshRollups): Command =>
  command.addOption(jsonOption()).action(async ({ json = false }: { json?: boolean }) => {
    const result = await withWarehouse({ quiet: json }, ({ pool }) => work(pool, UNHURRIED));
    if (json) printJson(result);
    else console.log(`Made the rollups of ${count(result.hours)} hours in ${duration(result.durationMs)}.`);
  });
