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

const isRetriable = (error: unknown): boolean => error instanceof EtlError && error.kind === "retriable";

/** Runs `attempt` until it succeeds, fails with anything but a retriable EtlError, or has used up the policy. */
export async function retrying<T>(
  policy: RetryPolicy,
  attempt: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await attempt(); // of most calls the only one, and an object of one event pays for what p-retry does besides
  } catch (error) {
    if (!isRetriable(error)) throw error;
    return again(policy, attempt, error, signal);
  }
}

/** @param failure of the first attempt */
function again<T>(
  policy: RetryPolicy,
  attempt: () => Promise<T>,
  failure: unknown,
  signal?: AbortSignal,
): Promise<T> {
  let isFirst = true;
  const next = () => {
    if (!isFirst) return attempt();
    isFirst = false;
    return Promise.reject(failure);
  };
  return pRetry(next, {
    retries: policy.retries,
    minTimeout: policy.minDelayMs,
    maxTimeout: policy.maxDelayMs,
    factor: 2,
    randomize: true,
    shouldRetry: ({ error }) => isRetriable(error),
    ...(signal && { signal }),
  });
}
