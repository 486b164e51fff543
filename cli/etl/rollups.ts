import type { Command } from "commander";
import { rebuildRollups } from "etl-lib";
import { count, duration } from "../shared/format.js";
import { jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withWarehouse } from "../shared/warehouse.js";

export const define = (command: Command): Command =>
  command
    .command("rebuild")
    .description("Rebuild every rollup from the raw rows; readers see the old ones until it is done.")
    .addOption(jsonOption())
    .action(async ({ json = false }: { json?: boolean }) => {
      const result = await withWarehouse({ quiet: json }, ({ pool }) => rebuildRollups(pool));
      if (json) printJson(result);
      else
        console.log(`Rebuilt the rollups of ${count(result.hours)} hours in ${duration(result.durationMs)}.`);
    });
