import type { Command } from "commander";
import { migrate } from "etl-lib";
import { jsonOption } from "../shared/options.js";
import { printJson } from "../shared/output.js";
import { withTarget } from "../shared/warehouse.js";

export const define = (command: Command): Command =>
  command.addOption(jsonOption()).action(async ({ json = false }: { json?: boolean }) => {
    const applied = await withTarget({ quiet: json }, ({ pool }) => migrate(pool));
    if (json) printJson({ applied });
    else console.log(applied.length > 0 ? `Applied ${applied.join(", ")}.` : "The schema is up to date.");
  });
