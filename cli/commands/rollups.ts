import { Command } from "commander";
import { rebuildRollups } from "etl-lib";
import { count, duration } from "../format.js";
import { withWarehouse } from "../with-target.js";
import { jsonOption } from "./options.js";

const rebuild = (): Command =>
  new Command("rebuild")
    .description("Make every rollup anew from the raw rows; readers see the old ones until it is done.")
    .addOption(jsonOption())
    .action(async ({ json = false }: { json?: boolean }) => {
      const result = await withWarehouse(json, ({ pool }) => rebuildRollups(pool));
      if (json) console.log(JSON.stringify(result));
      else
        console.log(`Rebuilt the rollups of ${count(result.hours)} hours in ${duration(result.durationMs)}.`);
    });

export const rollupsCommand = (): Command =>
  new Command("rollups").description("Look after the tables the dashboard reads.").addCommand(rebuild());
