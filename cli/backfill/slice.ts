import { setTimeout as sleep } from "node:timers/promises";
import { type BackfillEvent, type Invoke, isThrottled } from "./invoke.js";
import { add, nothing, type Sums, sumsOf } from "./outcome.js";
import type { Slice } from "./plan.js";

/** A run that is out of time leaves the rest to the next one; after so many without any progress it is stuck. */
const STUCK_AFTER = 3;
const THROTTLED_TRIES = 8;
const LONGEST_PAUSE_MS = 20_000;

/**
 * Runs the function until nothing of the slice remains. A dry run is made once: repeated, it would count the same
 * objects again.
 *
 * @param pauseMs before the first repetition of what was throttled; it doubles
 * @throws what the function, or its invocation, failed with; also when objects remain that no run loads
 */
export async function runSlice(
  slice: Slice,
  invoke: Invoke,
  { dryRun = false, pauseMs = 500 } = {},
): Promise<Sums> {
  const event: BackfillEvent = dryRun ? { ...slice, dryRun } : { ...slice };
  let sums = nothing();
  for (let stuck = 0; ; ) {
    const summary = await whenThereIsRoom(() => invoke(event), pauseMs);
    sums = add(sums, sumsOf(summary));
    const { remaining, loaded } = summary.objects;
    if (remaining === 0 || dryRun) return sums;
    stuck = loaded > 0 ? 0 : stuck + 1;
    if (stuck === STUCK_AFTER)
      throw new Error(`${remaining} objects remain, and ${STUCK_AFTER} runs in a row loaded none of them.`);
  }
}

async function whenThereIsRoom<T>(start: () => Promise<T>, pauseMs: number): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (!isThrottled(error) || attempt === THROTTLED_TRIES) throw error;
      await sleep(Math.min(pauseMs * 2 ** (attempt - 1), LONGEST_PAUSE_MS));
    }
  }
}
