import { type Command, CommanderError, Option } from "commander";
import { PlanError } from "etl-lib";
import { EnvironmentError } from "../../connect/environment.js";
import { ConfigError } from "../../stacks/config.js";
import { EXIT, UsageError } from "../exit.js";
import { DeployedError } from "./errors.js";
import { explainAwsError } from "./explain.js";

/** Which deployed environment is meant, in the help of each command. */
export const ENVIRONMENT_HELP = `
The environment is the one that this folder deploys (cdktf.json, CDKTF_CONTEXT_JSON), found by the outputs in its
Terraform state: a local file beside the output folder, or an object of \`stateBucket\`. AWS credentials are taken from
AWS_PROFILE, AWS_ACCESS_KEY_ID and so on, as the AWS CLI does it.`;

export const outputOption = () =>
  new Option("--output <folder>", "where cdktf writes the stacks; a local state lies beside it").default(
    "cdktf.out",
  );

/** Runs the command; an error that an operator can mend is printed as one sentence. Sets the exit code. */
export async function runCommand(command: Command): Promise<void> {
  try {
    await command.exitOverride().parseAsync();
  } catch (error) {
    process.exitCode = report(command.name(), error);
  }
}

function report(name: string, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const expected = [UsageError, PlanError, DeployedError, ConfigError, EnvironmentError];
  const sentence = expected.some((kind) => error instanceof kind)
    ? (error as Error).message
    : explainAwsError(error);
  console.error(sentence === null ? error : `${name}: ${sentence}`);
  return error instanceof UsageError || error instanceof PlanError ? EXIT.usage : EXIT.failed;
}
