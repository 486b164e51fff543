import pRetry from "p-retry";
import { EtlError } from "./errors.js";

/** Capped exponential backoff with jitter. */
export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retries: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

/** Outlasts a minute of outage: a database restart, a throttled bucket. */
export const DEFAULT_RETRY: RetryPolicy = { retries: 14, minDelayMs: 200, maxDelayMs: 5000 };

/** Runs `attempt` until it succeeds, fails with anything but a retriable EtlError, or has used up the policy. */
export function retrying<T>(
  policy: RetryPolicy,
  attempt: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return pRetry(attempt, {
    retries: policy.retries,
    minTimeout: policy.minDelayMs,
    maxTimeout: policy.maxDelayMs,
    factor: 2,
    randomize: true,
    shouldRetry: ({ error }) => error instanceof EtlError && error.kind === "retriable",
    ...(signal && { signal }),
  });
}
