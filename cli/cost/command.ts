import type { Command } from "commander";
import { readConfig } from "../deployed/config.js";
import { table } from "../shared/format.js";
import { jsonOption, wholeNumber } from "../shared/options.js";
import { PROJECT_ROOT } from "../shared/project.js";
import { type CostLine, estimate, type Load } from "./estimate.js";
import { PRICES_AS_OF } from "./prices.js";

const YEAR = 365;

export const define = (command: Command): Command =>
  command
    .option("--events-per-day <n>", "events of a day", wholeNumber(1, 1_000_000_000), 1_000_000)
    .option(
      "--events-per-object <n>",
      "events in one object, 1 as today's writer puts them",
      wholeNumber(1, 1_000_000),
      1,
    )
    .option(
      "--retention-days <n>",
      "days of events in the warehouse (default: retentionDays, or a year)",
      wholeNumber(1, 36_500),
    )
    .option(
      "--backfill-hours <n>",
      "hours that npm run backfill loads in a month",
      wholeNumber(0, 1_000_000),
      0,
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nThe rest is taken from the configuration (cdktf.json, CDKTF_CONTEXT_JSON). docs/cost.md says how.",
    )
    .action(printCost);

type Options = Omit<Load, "retentionDays"> & { retentionDays?: number; json?: boolean };

function printCost({ json, ...given }: Options): void {
  const config = readConfig(PROJECT_ROOT, process.env);
  const load = { ...given, retentionDays: given.retentionDays ?? (config.retentionDays || YEAR) };
  const lines = estimate(config, load);
  if (json) {
    console.log(JSON.stringify({ ...load, pricesAsOf: PRICES_AS_OF, lines, usd: sum(lines) }, null, 2));
    return;
  }
  console.log(costTable(lines));
  console.log(`Prices of ap-southeast-1 as of ${PRICES_AS_OF}, on demand, before tax: cli/cost/prices.ts.`);
}

const sum = (lines: readonly CostLine[]): number => lines.reduce((total, { usd }) => total + usd, 0);

export function costTable(lines: readonly CostLine[], width?: number): string {
  const rows = lines.map(({ what, basis, usd }) => [what, basis, usd.toFixed(2)]);
  return table(["a month", "basis", "US$"], [...rows, ["all", "", sum(lines).toFixed(2)]], width);
}
