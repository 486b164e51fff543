import { join } from "node:path";
import { type CommandResult, REPOSITORY, run } from "../terraform/terraform.js";
import type { Account } from "./account.js";

/** Someone at a terminal of the work tree that the environment was deployed from. */
export interface Operator {
  readonly account: Account;
  readonly env: NodeJS.ProcessEnv;
  /** Runs one of the project's commands, e.g. `doctor`, to its end. */
  run(command: string, ...args: string[]): Promise<CommandResult>;
  /** The same in another environment. */
  runIn(env: NodeJS.ProcessEnv, command: string, ...args: string[]): Promise<CommandResult>;
}

export function createOperator(account: Account, env: NodeJS.ProcessEnv): Operator {
  const runIn: Operator["runIn"] = (its, command, ...args) =>
    run(process.execPath, commandLine(account, command, args), { cwd: REPOSITORY, env: its });
  return { account, env, runIn, run: (command, ...args) => runIn(env, command, ...args) };
}

export function commandLine(account: Account, command: string, args: readonly string[]): string[] {
  return [join(REPOSITORY, "bin/clickstream.js"), command, ...args, "--output", account.aws.output];
}
