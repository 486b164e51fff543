import { join } from "node:path";
import { type CommandResult, REPOSITORY, run } from "../../helpers/terraform.js";
import type { Account } from "../account.js";

/** Someone at a terminal of the work tree that the environment was deployed from. */
export interface Operator {
  readonly account: Account;
  readonly env: NodeJS.ProcessEnv;
  /** Runs one of the project's commands, e.g. `cli/doctor.ts`, to its end. */
  run(script: string, ...args: string[]): Promise<CommandResult>;
  /** The same in another environment. */
  runIn(env: NodeJS.ProcessEnv, script: string, ...args: string[]): Promise<CommandResult>;
}

export function createOperator(account: Account, env: NodeJS.ProcessEnv): Operator {
  const runIn: Operator["runIn"] = (its, script, ...args) =>
    run("tsx", commandLine(account, script, args), { cwd: REPOSITORY, env: its });
  return { account, env, runIn, run: (script, ...args) => runIn(env, script, ...args) };
}

export function commandLine(account: Account, script: string, args: readonly string[]): string[] {
  return [join(REPOSITORY, script), ...args, "--output", account.aws.output];
}
