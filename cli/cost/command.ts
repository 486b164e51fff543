import type { Command } from "commander";
import { readConfig } from "../deployed/config.js";
import { table } from "../shared/format.js";
import { jsonOption, wholeNumber } from "../shared/options.js";
import { PROJECT_ROOT } from "../shared/project.js";
import { estimate, type Load } from "./estimate.js";
import { PRICES_AS_OF } from "./prices.js";

export const define = (command: Command): Command =>
  command
    .option("--events-per-day <n>", "events of a day", wholeNumber(1, 1_000_000_000), 1_000_000)
    .option(
      "--events-per-object <n>",
      "events in one object, 1 as today's writer puts them",
      wholeNumber(1, 1_000_000),
      1,
    )
    .option("--retention-days <n>", "days of events in the warehouse", wholeNumber(1, 36_500), 365)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nThe rest is taken from the configuration (cdktf.json, CDKTF_CONTEXT_JSON). docs/cost.md says how.",
    )
    .action(printCost);

function printCost({ json, ...load }: Load & { json?: boolean }): void {
  const config = readConfig(PROJECT_ROOT, process.env);
  const lines = estimate(config, load);
  const usd = lines.reduce((sum, line) => sum + line.usd, 0);
  if (json) {
    console.log(JSON.stringify({ ...load, pricesAsOf: PRICES_AS_OF, lines, usd }, null, 2));
    return;
  }
  const rows = lines.map(({ what, basis, usd: cost }) => [what, basis, cost.toFixed(2)]);
  console.log(table(["a month", "basis", "US$"], [...rows, ["all", "", usd.toFixed(2)]]));
  console.log(`Prices of ap-southeast-1 as of ${PRICES_AS_OF}, on demand, before tax: cli/cost/prices.ts.`);
}
