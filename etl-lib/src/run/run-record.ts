import { addEvents, addRejects, noEvents, noObjects } from "../counts.js";
import { EtlError, type ExtractError } from "../errors.js";
import type { BatchResult } from "../load/batch-load.js";
import { toLoadError } from "../load/pg-errors.js";
import { RepairLog } from "../transform/repair.js";
import type { EventCounts, LakeSummary, ObjectCounts, RejectCounts, RunError, RunSummary } from "../types.js";
import type { FreshPage } from "./fresh-objects.js";
import { type ObservedPart, type RunObserver, UNOBSERVED } from "./observer.js";

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

export type TimedStage = "planMs" | "extractMs" | "loadMs" | "rollupsMs" | "lakeMs" | "pruneMs" | "sealMs";

const PART_OF: { readonly [stage in TimedStage]: ObservedPart } = {
  planMs: "plan",
  extractMs: "extract",
  loadMs: "load",
  rollupsMs: "rollups",
  lakeMs: "lake",
  pruneMs: "prune",
  sealMs: "seal",
};

/** What a run has done so far: counts, times, and what went wrong. */
export class RunRecord {
  readonly objects: ObjectCounts = noObjects();
  readonly events: EventCounts = noEvents();
  readonly bytes = { listed: 0, loaded: 0 };
  readonly timings: { [stage in TimedStage]: number } = {
    planMs: 0,
    extractMs: 0,
    loadMs: 0,
    rollupsMs: 0,
    lakeMs: 0,
    pruneMs: 0,
    sealMs: 0,
  };
  isListed = false;
  /** What ended the run, else the first object that could not be read. */
  error: RunError | null = null;
  readonly errors: RunError[] = [];
  isAborted = false;
  rollupsRefreshed = true;
  /** Rows of the ledger that were folded; null: that failed. */
  sealed: number | null = 0;
  /** Events of old days that were removed; null: that failed. */
  pruned: number | null = 0;
  /** Rules that are raised now; null: they could not be evaluated. */
  alerts: readonly string[] | null = [];
  /** Undefined: the run has no lake. */
  lake: LakeSummary | undefined;
  isInterrupted = false;
  readonly #rejects: RejectCounts = {};
  readonly #repairs = new RepairLog();
  readonly #startedAt: number;

  /** @param clock milliseconds */
  constructor(
    private readonly clock: () => number,
    readonly observer: RunObserver = UNOBSERVED,
  ) {
    this.#startedAt = clock();
  }

  get elapsedMs(): number {
    return this.clock() - this.#startedAt;
  }

  get progress(): RunProgress {
    const { objects, events, bytes, isListed, elapsedMs } = this;
    return { objects, events, bytes, isListed, elapsedMs };
  }

  listed({ listed, fresh, unnamable, isLast }: FreshPage): void {
    this.objects.listed += listed;
    this.objects.alreadyLoaded += listed - fresh.length - unnamable.length;
    this.objects.failed += unnamable.length;
    this.objects.unlisted -= isLast ? 1 : 0;
    for (const { size } of fresh) this.bytes.listed += size;
  }

  /** Nothing is left to do of what the run set out to do, but for objects that cannot be read. */
  get isWell(): boolean {
    const { listed, alreadyLoaded, loaded, failed, unlisted } = this.objects;
    const isAllLoaded = listed === alreadyLoaded + loaded + failed;
    return this.isListed && unlisted === 0 && isAllLoaded && !this.isAborted && !this.isInterrupted;
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
    if (error.kind !== "unfinished") this.objects.failed++;
    this.failed(error);
    this.observer.leftOut(describeError(error));
  }

  /** What a run goes on without. */
  failed(error: unknown): void {
    const described = describeError(error);
    this.error ??= described;
    this.#note(described);
  }

  /** What went wrong after all was loaded. */
  noted(error: unknown): void {
    this.#note(describeError(error));
  }

  #note(error: RunError): void {
    if (this.errors.length < MAX_ERRORS) this.errors.push(error);
  }

  /** What ended the run. */
  aborted(error: unknown): void {
    this.error = null;
    this.failed(error);
    this.isAborted = true;
  }

  async timed<T>(stage: TimedStage, work: () => Promise<T>): Promise<T> {
    const since = this.clock();
    const ended = this.observer.began(PART_OF[stage]);
    let error: unknown;
    try {
      return await work();
    } catch (cause) {
      error = cause;
      throw cause;
    } finally {
      this.timings[stage] += this.clock() - since;
      ended({ error });
    }
  }

  /** Passes `chunks` on; how long the warehouse waited for them is time of the source, not its own. */
  async *timedChunks<T>(chunks: AsyncIterable<T>): AsyncGenerator<T> {
    let waitingSince = this.clock();
    const ended = this.observer.began("extract");
    try {
      for await (const chunk of chunks) {
        const waited = this.clock() - waitingSince;
        this.timings.extractMs += waited;
        this.timings.loadMs -= waited;
        yield chunk;
        waitingSince = this.clock();
      }
    } finally {
      ended();
    }
  }

  summarize({
    runId,
    window,
    dryRun,
    contract,
  }: Pick<RunSummary, "runId" | "window" | "dryRun" | "contract">): RunSummary {
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
      contract,
      sealed: this.sealed,
      pruned: this.pruned,
      alerts: this.alerts,
      ...(this.lake && { lake: this.lake }),
      durationMs: Math.round(this.elapsedMs),
      error: this.error,
      rollupsRefreshed: this.rollupsRefreshed,
      errors: this.errors,
    };
  }

  #status(): RunSummary["status"] {
    const { loaded, failed, remaining, unlisted } = this.objects;
    if (this.isAborted) return "failed";
    if (this.isInterrupted) return "interrupted";
    if (failed > 0 || remaining > 0 || unlisted > 0) return "partial";
    return loaded > 0 ? "succeeded" : "skipped";
  }
}

/** What a summary says of an error, whoever threw it. */
export function describeError(error: unknown): RunError {
  const { kind, stage, message, object } = error instanceof EtlError ? error : toLoadError(error);
  return { kind: kind === "fatal" ? "fatal" : "retriable", stage, message, object };
}
