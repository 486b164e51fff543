import { Command } from "commander";
import { toMarkdown } from "./plan/markdown.js";
import { PlanCommandError, planStacks } from "./plan/planner.js";

const EXIT_FAILED = 1;
const EXIT_DESTRUCTIVE = 3;

const command = new Command("plan")
  .description(
    "Plans all stacks in the order of their dependencies and prints the changes for a pull request.",
  )
  .option("--json", "print the report for machines instead of Markdown")
  .option("--output <folder>", "where cdktf writes what it synthesizes", "cdktf.out")
  .addHelpText(
    "after",
    "\nExit codes: 0 nothing is lost, 1 a stack could not be planned, 3 something would be destroyed or replaced.",
  )
  .action(plan);

async function plan(options: { json?: true; output: string }): Promise<void> {
  const onStep = (step: string) => process.stderr.write(`${step}\n`);
  const report = await planStacks({ output: options.output, onStep });
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : toMarkdown(report));
  if (report.destructive) process.exitCode = EXIT_DESTRUCTIVE;
  else if (report.stacks.some(({ status }) => status === "failed")) process.exitCode = EXIT_FAILED;
}

try {
  await command.parseAsync();
} catch (error) {
  if (!(error instanceof PlanCommandError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = EXIT_FAILED;
}
