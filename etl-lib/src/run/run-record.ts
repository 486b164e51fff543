import { addEvents, addRejects, noEvents, noObjects } from "../counts.js";
import { EtlError, type ExtractError } from "../errors.js";
import type { BatchResult } from "../load/batch-load.js";
import { toLoadError } from "../load/pg-errors.js";
import { RepairLog } from "../transform/repair.js";
import type { EventCounts, ObjectCounts, RejectCounts, RunError, RunSummary } from "../types.js";
import type { ListedPage } from "./plan-batches.js";

export interface RunProgress {
  readonly objects: Readonly<ObjectCounts>;
  readonly events: Readonly<EventCounts>;
  /** Bytes stored, of the objects to load. */
  readonly bytes: { readonly listed: number; readonly loaded: number };
  /** All objects are known, so `listed` is the total. */
  readonly isListed: boolean;
  readonly elapsedMs: number;
}

const MAX_ERRORS = 20;

export type TimedStage = "planMs" | "extractMs" | "loadMs" | "rollupsMs";

/** What a run has done so far: counts, times, and what went wrong. */
export class RunRecord {
  readonly objects: ObjectCounts = noObjects();
  readonly events: EventCounts = noEvents();
  readonly bytes = { listed: 0, loaded: 0 };
  readonly timings: { [stage in TimedStage]: number } = { planMs: 0, extractMs: 0, loadMs: 0, rollupsMs: 0 };
  isListed = false;
  /** What ended the run, else the first object that could not be read. */
  error: RunError | null = null;
  readonly errors: RunError[] = [];
  isAborted = false;
  rollupsRefreshed = true;
  isInterrupted = false;
  readonly #rejects: RejectCounts = {};
  readonly #repairs = new RepairLog();
  readonly #startedAt: number;

  /** @param clock milliseconds */
  constructor(private readonly clock: () => number) {
    this.#startedAt = clock();
  }

  get elapsedMs(): number {
    return this.clock() - this.#startedAt;
  }

  get progress(): RunProgress {
    const { objects, events, bytes, isListed, elapsedMs } = this;
    return { objects, events, bytes, isListed, elapsedMs };
  }

  listed({ listed, fresh, bytes, unnamable }: ListedPage): void {
    this.objects.listed += listed;
    this.objects.alreadyLoaded += listed - fresh - unnamable.length;
    this.objects.failed += unnamable.length;
    this.bytes.listed += bytes;
  }

  loaded({ read, loaded, events, rejects, warnings }: BatchResult): void {
    this.objects.loaded += loaded;
    this.objects.alreadyLoaded += read - loaded;
    addEvents(this.events, events);
    addRejects(this.#rejects, rejects);
    this.#repairs.merge(warnings);
  }

  /** An object that is left to a later run; one that has changed is simply seen in its new version. */
  unread(error: ExtractError): void {
    if (error.kind === "changed") return;
    this.objects.failed++;
    this.failed(error);
  }

  /** What a run goes on without. */
  failed(error: unknown): void {
    const described = describeError(error);
    this.error ??= described;
    if (this.errors.length < MAX_ERRORS) this.errors.push(described);
  }

  /** What ended the run. */
  aborted(error: unknown): void {
    this.error = null;
    this.failed(error);
    this.isAborted = true;
  }

  async timed<T>(stage: TimedStage, work: () => Promise<T>): Promise<T> {
    const since = this.clock();
    try {
      return await work();
    } finally {
      this.timings[stage] += this.clock() - since;
    }
  }

  /** Passes `chunks` on; how long the warehouse waited for them is time of the source, not its own. */
  async *timedChunks<T>(chunks: AsyncIterable<T>): AsyncGenerator<T> {
    let waitingSince = this.clock();
    for await (const chunk of chunks) {
      const waited = this.clock() - waitingSince;
      this.timings.extractMs += waited;
      this.timings.loadMs -= waited;
      yield chunk;
      waitingSince = this.clock();
    }
  }

  summarize({ runId, window, dryRun }: Pick<RunSummary, "runId" | "window" | "dryRun">): RunSummary {
    const { listed, alreadyLoaded, loaded, failed } = this.objects;
    this.objects.remaining = listed - alreadyLoaded - loaded - failed;
    return {
      status: this.#status(),
      runId,
      window,
      dryRun,
      objects: this.objects,
      events: this.events,
      rejects: this.#rejects,
      warnings: this.#repairs.warnings,
      durationMs: Math.round(this.elapsedMs),
      error: this.error,
      rollupsRefreshed: this.rollupsRefreshed,
      errors: this.errors,
    };
  }

  #status(): RunSummary["status"] {
    const { loaded, failed, remaining } = this.objects;
    if (this.isAborted) return "failed";
    if (this.isInterrupted) return "interrupted";
    if (failed > 0 || remaining > 0) return "partial";
    return loaded > 0 ? "succeeded" : "skipped";
  }
}

/** What a summary says of an error, whoever threw it. */
export function describeError(error: unknown): RunError {
  const { kind, stage, message, object } = error instanceof EtlError ? error : toLoadError(error);
  return { kind: kind === "changed" ? "retriable" : kind, stage, message, object };
}
