import { Command } from "commander";
import { migrate } from "etl-lib";
import { withTarget } from "../with-target.js";
import { jsonOption } from "./options.js";

export const migrateCommand = (): Command =>
  new Command("migrate")
    .description("Apply the migrations that are not applied yet.")
    .addOption(jsonOption())
    .action(async ({ json = false }: { json?: boolean }) => {
      const applied = await withTarget(json, ({ pool }) => migrate(pool));
      if (json) console.log(JSON.stringify({ applied }));
      else console.log(applied.length > 0 ? `Applied ${applied.join(", ")}.` : "The schema is up to date.");
    });
