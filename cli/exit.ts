import { CommanderError } from "commander";
import { EtlError, PlanError } from "etl-lib";

export const EXIT = { done: 0, failed: 1, usage: 2, rejects: 3 } as const;

/** The command was called with words it cannot use. The message is one sentence that names the option. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Prints what went wrong as one sentence and returns the exit code. @param verbose adds the stack and its causes */
export function reportFailure(error: unknown, verbose: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  console.error(verbose ? error : `etl:local: ${sentenceOf(error)}`);
  if (!verbose && !isExpected(error))
    console.error("Run it again with --verbose to see where this comes from.");
  return error instanceof UsageError || error instanceof PlanError ? EXIT.usage : EXIT.failed;
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The project's own errors say what to do; anything else is a surprise. */
const isExpected = (error: unknown): boolean =>
  error instanceof EtlError || /^(Usage|Environment|Target)Error$/.test((error as Error)?.name);
