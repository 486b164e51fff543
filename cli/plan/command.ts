import type { Command } from "commander";
import { EXIT } from "../shared/failure.js";
import { toMarkdown } from "./markdown.js";
import { planStacks } from "./planner.js";
import type { PlanReport } from "./report.js";

const EXIT_DESTRUCTIVE = 3;

export const define = (command: Command): Command =>
  command
    .option("--json", "print the report for machines instead of Markdown")
    .option("--save", "keep the plan, for `npm run deploy -- --plan` to apply exactly this one")
    .option("--output <folder>", "where cdktf writes what it synthesizes", "cdktf.out")
    .addHelpText(
      "after",
      "\nExit codes: 0 nothing is lost, 1 a stack could not be planned, 3 something would be destroyed or replaced.",
    )
    .action(printPlan);

async function printPlan(options: { json?: true; save?: true; output: string }): Promise<void> {
  const onStep = (step: string) => process.stderr.write(`${step}\n`);
  const report = await planStacks({ ...options, onStep });
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : toMarkdown(report));
  process.exitCode = exitCodeOf(report);
}

export function exitCodeOf({ destructive, stacks }: PlanReport): number {
  if (destructive) return EXIT_DESTRUCTIVE;
  const nothing = stacks.every(({ status }) => status !== "planned");
  return nothing || stacks.some(({ status }) => status === "failed") ? EXIT.failed : EXIT.done;
}
