import type { Command } from "commander";
import { readConfig } from "../deployed/config.js";
import { runHere } from "../plan/terraform.js";
import { CommandError } from "../shared/failure.js";
import { PROJECT_ROOT } from "../shared/project.js";

export const define = (command: Command): Command =>
  command
    .option("--output <folder>", "where cdktf writes what it synthesizes", "cdktf.out")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText("after", "\nAny other option is handed to `cdktf destroy`, e.g. --auto-approve.")
    .action(destroy);

/** Asked before cdktf starts, which cuts off the error of Terraform's own refusal. */
async function destroy({ output }: { output: string }, command: Command): Promise<void> {
  const { protectData } = readConfig(PROJECT_ROOT, process.env);
  if (protectData)
    throw new CommandError(
      "The data is protected, and nothing was destroyed. Set protectData to false in the context, deploy, and destroy with that setting still in place: buckets are emptied and volumes deleted then.",
    );
  process.exitCode = await runHere("cdktf", ["destroy", "*", ...command.args, "--output", output], ".");
}
