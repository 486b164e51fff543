import type { Command } from "commander";
import { EXIT } from "../shared/failure.js";
import { toMarkdown } from "./markdown.js";
import { planStacks } from "./planner.js";

const EXIT_DESTRUCTIVE = 3;

export const define = (command: Command): Command =>
  command
    .option("--json", "print the report for machines instead of Markdown")
    .option("--output <folder>", "where cdktf writes what it synthesizes", "cdktf.out")
    .addHelpText(
      "after",
      "\nExit codes: 0 nothing is lost, 1 a stack could not be planned, 3 something would be destroyed or replaced.",
    )
    .action(printPlan);

async function printPlan(options: { json?: true; output: string }): Promise<void> {
  const onStep = (step: string) => process.stderr.write(`${step}\n`);
  const report = await planStacks({ output: options.output, onStep });
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : toMarkdown(report));
  if (report.destructive) process.exitCode = EXIT_DESTRUCTIVE;
  else if (report.stacks.some(({ status }) => status === "failed")) process.exitCode = EXIT.failed;
}
