import { CommanderError } from "commander";
import { EtlError, PlanError } from "etl-lib";
import { TargetError } from "../../connect/connection.js";
import { EnvironmentError } from "../../connect/environment.js";
import { explainAwsError } from "../../connect/explain.js";

export const EXIT = { done: 0, failed: 1, usage: 2, rejects: 3 } as const;

/** A command cannot do what it was asked to do. The message is one sentence with what to do about it. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
}

/** The command was called with words it cannot use. The message names the option. */
export class UsageError extends CommandError {
  override readonly name = "UsageError";
}

/** Prints what went wrong as one sentence and returns the exit code. @param verbose adds the stack and its causes */
export function reportFailure(command: string, error: unknown, verbose: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  console.error(verbose ? error : `${command}: ${sentenceOf(error)}`);
  if (!verbose && !isExpected(error))
    console.error("Run it again with --verbose to see where this comes from.");
  return error instanceof UsageError || error instanceof PlanError ? EXIT.usage : EXIT.failed;
}

/** One sentence on any error. */
export function sentenceOf(error: unknown): string {
  return explainAwsError(error) ?? (error instanceof Error ? error.message || error.name : String(error));
}

/** The project's own errors say what to do; anything else is a surprise. */
function isExpected(error: unknown): boolean {
  const own = [EtlError, CommandError, TargetError, EnvironmentError].some((kind) => error instanceof kind);
  // By its name: its module brings all of the configuration's rules with it.
  return own || (error as Error)?.name === "ConfigError" || explainAwsError(error) !== null;
}
