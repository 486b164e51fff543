import { sentenceOf } from "../shared/failure.js";
import type { Invoke } from "./invoke.js";
import { limiter } from "./limit.js";
import { add, nothing, type Sums } from "./outcome.js";
import { groupByDay, type Slice } from "./plan.js";
import type { ProgressFile } from "./progress-file.js";
import { runSlice } from "./slice.js";

export interface BackfillOptions {
  readonly slices: readonly Slice[];
  readonly invoke: Invoke;
  /** Invocations at a time. */
  readonly parallel: number;
  readonly dryRun: boolean;
  /** Null: nothing is remembered (a dry run). */
  readonly file: ProgressFile | null;
  /** Aborted: what runs is waited for, and nothing new is started. */
  readonly signal: AbortSignal;
  /** Told after each slice. */
  readonly onProgress: (report: BackfillReport) => void;
}

export interface BackfillReport {
  /** Slices: total = done + failed + left. */
  readonly total: number;
  /** Of them `resumed` were done by an earlier start. */
  readonly done: number;
  readonly resumed: number;
  readonly failed: readonly Failure[];
  /** Of all that is done, earlier or now. */
  readonly sums: Sums;
}

/** A slice that is not loaded, and why. */
export interface Failure extends Slice {
  readonly reason: string;
}

/** Runs what is not done yet. A slice that fails stops no other, and is tried again at the next start. */
export async function backfill(options: BackfillOptions): Promise<BackfillReport> {
  const { slices, invoke, parallel, dryRun, file, signal, onProgress } = options;
  const earlier = slices.flatMap((slice) => file?.doneBefore(slice) ?? []);
  const failed: Failure[] = [];
  let done = earlier.length;
  let sums = earlier.reduce(add, nothing());
  const report = () => ({ total: slices.length, done, resumed: earlier.length, failed: [...failed], sums });

  const run = async (slice: Slice) => {
    if (signal.aborted) return;
    try {
      const outcome = await runSlice(slice, invoke, { dryRun });
      await file?.markDone(slice, outcome);
      sums = add(sums, outcome);
      done += 1;
    } catch (error) {
      failed.push({ ...slice, reason: sentenceOf(error) });
    }
    onProgress(report());
  };

  const limit = limiter(parallel);
  const todo = slices.filter((slice) => !file?.doneBefore(slice));
  onProgress(report());
  await Promise.all(
    groupByDay(todo).map(async ([first, ...others]) => {
      await limit(() => run(first as Slice));
      await Promise.all(others.map((slice) => limit(() => run(slice))));
    }),
  );
  failed.sort((one, other) => one.from.localeCompare(other.from));
  return report();
}
