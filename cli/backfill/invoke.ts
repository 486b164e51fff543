import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { RunSummary } from "etl-lib";
import { CommandError } from "../shared/failure.js";

/** What the function takes; see functions/etl/event.ts. */
export interface BackfillEvent {
  readonly from: string;
  readonly to: string;
  readonly dryRun?: true;
}

/** Runs the function once and waits for its answer. @throws what failed; `isThrottled` tells what may be repeated at once */
export type Invoke = (event: BackfillEvent) => Promise<RunSummary>;

/** The function ran, and ended on an error. The message is its own. */
export class FunctionError extends Error {
  override readonly name = "FunctionError";
}

export interface InvokerOptions {
  readonly region: string;
  readonly functionName: string;
  /** The function's own limit. */
  readonly timeoutSeconds: number;
}

const ANSWER_MARGIN_MS = 60_000;

/**
 * Invokes the deployed function and waits, 15 minutes if need be. The SDK repeats nothing: it would start a second run
 * beside one whose answer is late.
 */
export function createInvoker({ region, functionName, timeoutSeconds }: InvokerOptions): Invoke {
  const client = new LambdaClient({
    region,
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: 10_000,
      requestTimeout: timeoutSeconds * 1000 + ANSWER_MARGIN_MS,
      throwOnRequestTimeout: true,
    },
  });
  return async (event) => {
    const command = new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) });
    const answer = await client.send(command).catch((cause: Error) => {
      if (cause.name !== "ResourceNotFoundException") throw cause;
      throw new CommandError(`The function ${functionName} is not there: deploy the scheduler stack.`, {
        cause,
      });
    });
    const payload = JSON.parse(answer.Payload?.transformToString() || "null");
    if (answer.FunctionError !== undefined)
      throw new FunctionError(payload?.errorMessage ?? `The function failed (${answer.FunctionError}).`);
    return asSummary(payload);
  };
}

function asSummary(payload: Partial<RunSummary> | null): RunSummary {
  if (payload?.objects !== undefined && payload.events !== undefined) return payload as RunSummary;
  throw new CommandError("The function answered with something else than a run's summary: deploy it again.");
}

/** Lambda refused to start a run for want of concurrency: nothing was done. */
export function isThrottled(error: unknown): boolean {
  return error instanceof Error && error.name === "TooManyRequestsException";
}
