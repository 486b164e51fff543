import { randomUUID } from "node:crypto";
import { EtlError, ExtractError } from "./errors.js";
import { BackgroundRefresh } from "./load/background-refresh.js";
import { addCounts, type BatchResult } from "./load/batch-load.js";
import type { EventChunk } from "./load/event-chunk.js";
import { assertSchema } from "./load/migrations.js";
import { toLoadError } from "./load/pg-errors.js";
import { refreshRollups, refreshStep } from "./load/rollups.js";
import { recordEnd, recordStart } from "./load/runs.js";
import { type BatchSink, DryRunSink, WarehouseSink } from "./load/sinks.js";
import type { WarehousePool } from "./load/warehouse.js";
import { type BatchToLoad, planBatches } from "./plan-batches.js";
import { prefetch } from "./prefetch.js";
import { readChunks } from "./read-chunks.js";
import { DEFAULT_RETRY, type RetryPolicy, retrying } from "./retry.js";
import { RepairLog } from "./transform/repair.js";
import type {
  EventCounts,
  ObjectCounts,
  RejectCounts,
  RunError,
  RunSummary,
  RunTrigger,
  Source,
  SourceObject,
  Window,
} from "./types.js";

export interface RunOptions {
  readonly source: Source;
  readonly pool: WarehousePool;
  /** Null: all that lies below the prefix. */
  readonly window: Window | null;
  /** Key prefix to list. @default "events/" */
  readonly prefix?: string | undefined;
  readonly trigger: RunTrigger;
  /** Stage and count, then roll back. @default false */
  readonly dryRun?: boolean;
  /** Objects read at the same time. @default 128 */
  readonly concurrency?: number;
  /** Rows of a batch, roughly: one object is never split over two transactions. @default 20000 */
  readonly batchRows?: number;
  /** No batch is started after this many milliseconds; what is left is `objects.remaining`. */
  readonly timeBudgetMs?: number | undefined;
  readonly retry?: RetryPolicy;
  /** Called after each chunk and each page of the listing. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Milliseconds. @default Date.now */
  readonly clock?: () => number;
}

export interface RunProgress {
  readonly objects: Readonly<ObjectCounts>;
  readonly events: Readonly<EventCounts>;
  /** Bytes stored, of the objects to load. */
  readonly bytes: { readonly listed: number; readonly loaded: number };
  /** All objects are known, so `listed` is the total. */
  readonly isListed: boolean;
  readonly elapsedMs: number;
}

/** Chunks of the next batch that are made while one commits. */
const CHUNKS_AHEAD = 2;
/** Batches planned ahead, so that a reader soon knows the total. */
const BATCHES_AHEAD = 25;
/**
 * So many objects in a row that cannot be read are not their own fault: an outage, after a minute of retries each, or
 * a missing permission. Refused ones cost little, and some (archived, say) may well lie side by side.
 */
const MAX_FAILURES_IN_A_ROW = { retriable: 5, fatal: 100 };

/**
 * Loads what is new in the window, exactly once. Never throws for a run that fails: the summary says why, and what
 * was committed before stays, so that the next run takes up the rest.
 */
export function runEtl(options: RunOptions): Promise<RunSummary> {
  return new Run(options).execute();
}

class Run {
  readonly #runId = randomUUID();
  readonly #clock: () => number;
  readonly #startedAt: number;
  readonly #sink: BatchSink;
  readonly #background: BackgroundRefresh;
  readonly #retry: RetryPolicy;
  readonly #read: { concurrency: number; batchRows: number };
  readonly #objects: ObjectCounts = { listed: 0, alreadyLoaded: 0, loaded: 0, failed: 0, remaining: 0 };
  readonly #events: EventCounts = { read: 0, inserted: 0, duplicates: 0, rejected: 0 };
  readonly #bytes = { listed: 0, loaded: 0 };
  readonly #rejects: RejectCounts = {};
  readonly #repairs = new RepairLog();
  readonly #timings = { planMs: 0, extractMs: 0, loadMs: 0, rollupsMs: 0 };
  #isListed = false;
  #failuresInARow = 0;
  /** The first object that could not be read, or what ended the run. */
  #error: RunError | null = null;
  #isAborted = false;
  #ahead: AsyncIterableIterator<EventChunk> | undefined;

  constructor(private readonly options: RunOptions) {
    const {
      pool,
      dryRun,
      clock = Date.now,
      retry = DEFAULT_RETRY,
      concurrency = 128,
      batchRows = 20_000,
    } = options;
    this.#clock = clock;
    this.#startedAt = clock();
    this.#sink = dryRun ? new DryRunSink(pool) : new WarehouseSink(pool, this.#runId);
    this.#background = new BackgroundRefresh(() => refreshStep(pool), clock);
    this.#retry = retry;
    this.#read = { concurrency, batchRows };
  }

  async execute(): Promise<RunSummary> {
    try {
      await this.#begin();
      await this.#loadAll();
    } catch (error) {
      this.#error = describe(error);
      this.#isAborted = true;
    }
    void this.#ahead?.return?.(); // may be in the middle of a retry that nobody waits for any more
    await this.#sink.close().catch(() => undefined); // a dry run's connection may be gone already
    if (!this.options.dryRun) await this.#refresh();
    const summary = this.#summarize();
    if (!this.options.dryRun) await this.#record(summary);
    return summary;
  }

  async #begin(): Promise<void> {
    const { pool, trigger, source, prefix, dryRun } = this.options;
    await this.#retrying(() => assertSchema(pool));
    if (dryRun) return;
    const window = this.#window();
    await this.#retrying(() =>
      recordStart(pool, { runId: this.#runId, trigger, bucket: source.bucket, prefix, window }),
    );
  }

  /** Reads the next batch while one commits. */
  async #loadAll(): Promise<void> {
    const planned = prefetch(this.#plan(), BATCHES_AHEAD);
    try {
      let next = await this.#timed("planMs", () => planned.next());
      let chunks = this.#startReading(next.value);
      while (!next.done && !this.#isTimeUp()) {
        const batch: BatchToLoad = next.value;
        const upcoming = planned
          .next()
          .then((result) => ({ result, chunks: this.#startReading(result.value) }));
        upcoming.catch(() => undefined); // met below, unless this batch fails first
        await this.#load(batch, chunks);
        ({ result: next, chunks } = await this.#timed("planMs", () => upcoming));
      }
    } finally {
      await planned.return?.();
    }
  }

  async *#plan(): AsyncGenerator<BatchToLoad> {
    const { source, pool, window, prefix } = this.options;
    yield* planBatches({
      source,
      window,
      prefix,
      maxObjects: this.#read.batchRows,
      subtractLoaded: (objects, notYetLoaded) => this.#retrying(() => notYetLoaded(pool, objects)),
      onListed: ({ listed, fresh, bytes, unnamable }) => {
        this.#objects.listed += listed;
        this.#objects.alreadyLoaded += listed - fresh - unnamable.length;
        this.#objects.failed += unnamable.length;
        if (unnamable[0]) this.#error ??= describe(unnamableKey(unnamable[0]));
        this.#bytes.listed += bytes;
        this.#report();
      },
    });
    this.#isListed = true;
    this.#report();
  }

  #startReading(batch: BatchToLoad | undefined) {
    if (!batch || this.#isTimeUp()) return undefined;
    this.#ahead = prefetch(readChunks(this.options.source, batch.objects, this.#read), CHUNKS_AHEAD);
    return this.#ahead;
  }

  /** Objects that cannot be read are left out of their batch, which is then loaded without them. */
  async #load(batch: BatchToLoad, firstChunks: AsyncIterable<EventChunk> | undefined): Promise<void> {
    let { objects } = batch;
    let chunks = firstChunks;
    let behindLastFailure = 0;
    while (objects.length > 0) {
      const outcome = await this.#tryLoad(objects, chunks);
      if (!(outcome instanceof ExtractError)) {
        this.#add(outcome, objects.length);
        if (!this.options.dryRun && !this.#isTimeUp()) this.#background.committed(outcome.events.inserted);
        break;
      }
      const at = objects.findIndex(({ bucket, key }) => `${bucket}/${key}` === outcome.object);
      if (at > behindLastFailure) this.#failuresInARow = 0; // what lies between them was read
      behindLastFailure = at;
      this.#leaveOut(outcome);
      objects = objects.toSpliced(at, 1);
      chunks = undefined;
    }
    this.#bytes.loaded += batch.bytes;
    this.#report();
  }

  #tryLoad(
    objects: BatchToLoad["objects"],
    firstChunks: AsyncIterable<EventChunk> | undefined,
  ): Promise<BatchResult | ExtractError> {
    let attempt = 0;
    return this.#retrying(async () => {
      const chunks =
        attempt++ === 0 && firstChunks ? firstChunks : readChunks(this.options.source, objects, this.#read);
      try {
        return await this.#timed("loadMs", () => this.#sink.load(objects, this.#watch(chunks), attempt));
      } catch (error) {
        // The source has retried already what can be: this object is given up, not the batch.
        if (error instanceof ExtractError && error.object) return error;
        throw error;
      }
    });
  }

  /** Measures how long the warehouse waits for the source. */
  async *#watch(chunks: AsyncIterable<EventChunk>): AsyncGenerator<EventChunk> {
    let waitingSince = this.#clock();
    for await (const chunk of chunks) {
      this.#timings.extractMs += this.#clock() - waitingSince;
      this.#timings.loadMs -= this.#clock() - waitingSince;
      yield chunk;
      this.#report();
      waitingSince = this.#clock();
    }
  }

  #add({ loaded, events, rejects, warnings }: BatchResult, objects: number): void {
    this.#failuresInARow = 0;
    this.#objects.loaded += loaded;
    this.#objects.alreadyLoaded += objects - loaded;
    addCounts(this.#events, events);
    for (const [cause, count] of Object.entries(rejects))
      this.#rejects[cause as keyof typeof rejects] =
        (this.#rejects[cause as keyof typeof rejects] ?? 0) + count;
    this.#repairs.merge(warnings);
  }

  /** A changed object is simply left to the next run, which sees its new version. */
  #leaveOut(error: ExtractError): void {
    if (error.kind === "changed") return;
    this.#objects.failed++;
    this.#error ??= describe(error);
    if (++this.#failuresInARow >= MAX_FAILURES_IN_A_ROW[error.kind]) throw error;
  }

  /** Also after a failure, and for what an earlier run was killed before it could refresh. */
  async #refresh(): Promise<void> {
    const refresh = () =>
      this.#timed("rollupsMs", async () => {
        await this.#background.ended();
        await refreshRollups(this.options.pool);
      });
    await (this.#isAborted ? refresh() : this.#retrying(refresh)).catch((error) => {
      this.#error ??= describe(error);
      this.#isAborted = true;
    });
  }

  #summarize(): RunSummary {
    const { listed, alreadyLoaded, loaded, failed } = this.#objects;
    this.#objects.remaining = listed - alreadyLoaded - loaded - failed;
    return {
      status: this.#status(),
      runId: this.#runId,
      window: this.#window(),
      dryRun: this.options.dryRun ?? false,
      objects: this.#objects,
      events: this.#events,
      rejects: this.#rejects,
      warnings: this.#repairs.warnings,
      durationMs: Math.round(this.#clock() - this.#startedAt),
      error: this.#error,
    };
  }

  #status(): RunSummary["status"] {
    const { loaded, failed, remaining } = this.#objects;
    if (this.#isAborted) return "failed";
    if (failed > 0 || remaining > 0) return "partial";
    return loaded > 0 ? "succeeded" : "skipped";
  }

  /** What the run did stands in the warehouse even when its own row cannot be written. */
  async #record(summary: RunSummary): Promise<void> {
    const write = () => recordEnd(this.options.pool, summary, this.#timings);
    await (this.#isAborted ? write() : this.#retrying(write)).catch((error) => {
      summary.error ??= describe(toLoadError(error));
    });
  }

  #window(): RunSummary["window"] {
    const { window } = this.options;
    return window && { from: window.from.toISOString(), to: window.to.toISOString() };
  }

  #isTimeUp(): boolean {
    const { timeBudgetMs } = this.options;
    return timeBudgetMs !== undefined && this.#clock() - this.#startedAt >= timeBudgetMs;
  }

  #report(): void {
    this.options.onProgress?.({
      objects: this.#objects,
      events: this.#events,
      bytes: this.#bytes,
      isListed: this.#isListed,
      elapsedMs: this.#clock() - this.#startedAt,
    });
  }

  #retrying<T>(work: () => Promise<T>): Promise<T> {
    return retrying(this.#retry, () => work().catch((error) => Promise.reject(toLoadError(error))));
  }

  async #timed<T>(stage: "planMs" | "loadMs" | "rollupsMs", work: () => Promise<T>): Promise<T> {
    const since = this.#clock();
    try {
      return await work();
    } finally {
      this.#timings[stage] += this.#clock() - since;
    }
  }
}

const unnamableKey = ({ bucket, key }: SourceObject): ExtractError =>
  new ExtractError(
    "fatal",
    `The key ${JSON.stringify(key)} in ${bucket} holds U+0000, which PostgreSQL cannot: rename the object.`,
  );

/** What a summary says of an error, whoever threw it. */
export function describe(error: unknown): RunError {
  const { kind, stage, message, object } = error instanceof EtlError ? error : toLoadError(error);
  return { kind: kind === "changed" ? "retriable" : kind, stage, message, object };
}
