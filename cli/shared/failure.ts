import { CommanderError } from "commander";
import type { RunError, RunStatus } from "etl-lib";
import { EtlError, PlanError } from "etl-lib/errors"; // the whole of etl-lib would make every command wait for it
import { EnvironmentError } from "../../connect/environment.js";
import { TargetError } from "../../connect/errors.js";
import { explainAwsError } from "../../connect/explain-aws.js";
import { Interrupted } from "./interruption.js";
import { printJsonOnce } from "./output.js";

export const EXIT = { done: 0, failed: 1, usage: 2, rejects: 3, interrupted: 130 } as const;

/** A command cannot do what it was asked to do. The message is one sentence with what to do about it. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
}

/** The command was called with words it cannot use. The message names the option. */
export class UsageError extends CommandError {
  override readonly name = "UsageError";
}

export interface ReportOptions {
  readonly command: string;
  /** Adds the stack and its causes. */
  readonly verbose: boolean;
  /** Says it on stdout too, as one object. */
  readonly json: boolean;
}

/** Prints what went wrong as one sentence and returns the exit code. */
export function reportFailure(error: unknown, { command, verbose, json }: ReportOptions): number {
  const code = exitCodeOf(error);
  if (code === EXIT.done) return code;
  if (json) printJsonOnce(failureObject(error));
  // Commander and whoever was interrupted have said it already.
  if (error instanceof CommanderError || error instanceof Interrupted) return code;
  console.error(verbose ? error : `${command}: ${sentenceOf(error)}`);
  if (!verbose && !isExpected(error))
    console.error("Run it again with --verbose to see where this comes from.");
  return code;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  return error instanceof UsageError || error instanceof PlanError ? EXIT.usage : EXIT.failed;
}

/** What `--json` prints of a command that came to nothing. */
export function failureObject(error: unknown): { status: RunStatus; error: RunError | null } {
  if (error instanceof Interrupted) return { status: "interrupted", error: null };
  if (error instanceof EtlError) {
    const { kind, stage, message, object } = error;
    return {
      status: "failed",
      error: { kind: kind === "fatal" ? kind : "retriable", stage, message, object },
    };
  }
  const message = sentenceOf(error).replace(/^error: /, "");
  return { status: "failed", error: { kind: "fatal", stage: "plan", message, object: null } };
}

/** One sentence on any error. */
export function sentenceOf(error: unknown): string {
  if (isDiskFull(error)) return `The disk is full: ${(error as Error).message}.`;
  return explainAwsError(error) ?? (error instanceof Error ? error.message || error.name : String(error));
}

const isDiskFull = (error: unknown): boolean => (error as NodeJS.ErrnoException)?.code === "ENOSPC";

/** The project's own errors say what to do; anything else is a surprise. */
function isExpected(error: unknown): boolean {
  const own = [EtlError, CommandError, TargetError, EnvironmentError].some((kind) => error instanceof kind);
  // By its name: its module brings all of the configuration's rules with it.
  return (
    own || (error as Error)?.name === "ConfigError" || isDiskFull(error) || explainAwsError(error) !== null
  );
}
