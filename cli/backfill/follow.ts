import { setTimeout as sleep } from "node:timers/promises";
import type { BackfillState } from "./executions.js";

/**
 * Looks at an execution until it is over, or `signal` is aborted: that leaves it running.
 * @returns how it was seen last
 */
export async function follow(
  describe: () => Promise<BackfillState>,
  options: {
    readonly signal: AbortSignal;
    readonly everyMs: number;
    readonly onProgress: (state: BackfillState) => void;
  },
): Promise<BackfillState> {
  for (;;) {
    const state = await describe();
    options.onProgress(state);
    if (state.status !== "RUNNING" || options.signal.aborted) return state;
    await sleep(options.everyMs, undefined, { signal: options.signal }).catch(() => undefined);
    if (options.signal.aborted) return state;
  }
}
