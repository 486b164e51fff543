import { randomUUID } from "node:crypto";
import { ExtractError } from "../errors.js";
import { BackgroundRefresh } from "../load/background-refresh.js";
import type { EventChunk } from "../load/event-chunk.js";
import { assertSchema } from "../load/migrate.js";
import { toLoadError } from "../load/pg-errors.js";
import { isPatienceOver, type RefreshOptions, refreshRollups, refreshStep } from "../load/rollups.js";
import { recordEnd, recordStart } from "../load/runs.js";
import { type BatchSink, DryRunSink, WarehouseSink } from "../load/sinks.js";
import type { WarehousePool } from "../load/warehouse.js";
import { DEFAULT_RETRY, type RetryPolicy, retrying } from "../retry.js";
import type { RunSummary, RunTrigger, Source, SourceObject, Window } from "../types.js";
import { type BatchToLoad, planBatches } from "./plan-batches.js";
import { prefetch } from "./prefetch.js";
import { type ReadOptions, readChunks } from "./read-chunks.js";
import { ReadHealth } from "./read-health.js";
import { describeError, type RunProgress, RunRecord } from "./run-record.js";

export interface RunOptions {
  readonly source: Source;
  readonly pool: WarehousePool;
  /** Null: all that lies below the prefix. */
  readonly window: Window | null;
  /** Key prefix to list. @default "events/" */
  readonly prefix?: string | undefined;
  readonly trigger: RunTrigger;
  /**
   * Read again also what the ledger says is loaded, and bring back what the table lacks of it: without a duplicate, and
   * with counts that say what lies in the table. @default false
   */
  readonly reload?: boolean;
  /** Stage and count, then roll back. @default false */
  readonly dryRun?: boolean;
  /** Objects read at the same time. @default 128 */
  readonly concurrency?: number;
  /** Rows of a batch, roughly: one object is never split over two transactions. @default 20000 */
  readonly batchRows?: number;
  /** No batch is started after this many milliseconds; what is left is `objects.remaining`. */
  readonly timeBudgetMs?: number | undefined;
  /** Aborted: the batch at hand is rolled back, nothing is refreshed, and the run ends as `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** The run, with the refresh at its end, takes no longer than this many milliseconds: what is left stays marked. */
  readonly endBudgetMs?: number | undefined;
  readonly retry?: RetryPolicy;
  /** Called after each chunk and each page of the listing. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Milliseconds. @default Date.now */
  readonly clock?: () => number;
}

/** Chunks of the next batch that are made while one commits. */
const CHUNKS_AHEAD = 2;
/** What is under way when a run is interrupted has so long to end. */
const INTERRUPTION_GRACE_MS = 400;
/** Batches planned ahead, so that a reader soon knows the total. */
const BATCHES_AHEAD = 25;
/**
 * Loads what is new in the window, exactly once. Never throws for a run that fails: the summary says why, and what
 * was committed before stays, so that the next run takes up the rest.
 */
export function runEtl(options: RunOptions): Promise<RunSummary> {
  return new Run(options).execute();
}

class Run {
  readonly #runId = randomUUID();
  readonly #record: RunRecord;
  readonly #sink: BatchSink;
  readonly #background: BackgroundRefresh;
  readonly #retry: RetryPolicy;
  readonly #read: Pick<ReadOptions, "concurrency" | "batchRows">;
  readonly #health: ReadHealth;
  #ahead: AsyncIterableIterator<EventChunk> | undefined;

  constructor(private readonly options: RunOptions) {
    const {
      pool,
      dryRun,
      reload = false,
      clock = Date.now,
      retry = DEFAULT_RETRY,
      concurrency = 128,
      batchRows = 20_000,
    } = options;
    this.#record = new RunRecord(clock);
    this.#sink = dryRun ? new DryRunSink(pool) : new WarehouseSink(pool, this.#runId, reload);
    this.#background = new BackgroundRefresh(() => refreshStep(pool, this.#refreshOptions), clock);
    this.#retry = retry;
    this.#read = { concurrency, batchRows };
    this.#health = new ReadHealth(clock);
  }

  async execute(): Promise<RunSummary> {
    try {
      await this.#begin();
      await this.#unlessInterrupted(this.#loadAll());
    } catch (error) {
      if (this.options.signal?.aborted) this.#record.isInterrupted = true;
      else this.#record.aborted(error);
    }
    void this.#ahead?.return?.(); // may be in the middle of a retry that nobody waits for any more
    const closed = this.#sink.close().catch(() => undefined); // a dry run's connection may be gone already
    if (!this.#record.isInterrupted) await closed; // … or busy
    const { dryRun = false } = this.options;
    if (!dryRun && !this.#record.isInterrupted) await this.#refresh();
    const summary = this.#record.summarize({ runId: this.#runId, window: this.#window(), dryRun });
    if (!dryRun) await this.#write(summary);
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
      let next = await this.#record.timed("planMs", () => planned.next());
      let chunks = this.#startReading(next.value);
      while (!next.done && !this.#isTimeUp() && !this.#health.isOutage) {
        const batch: BatchToLoad = next.value;
        const upcoming = planned
          .next()
          .then((result) => ({ result, chunks: this.#startReading(result.value) }));
        upcoming.catch(() => undefined); // met below, unless this batch fails first
        await this.#load(batch, chunks);
        ({ result: next, chunks } = await this.#record.timed("planMs", () => upcoming));
      }
    } finally {
      await planned.return?.();
    }
    if (this.#health.verdict) throw this.#health.verdict;
  }

  /** Waits a moment for the work to notice, so that what it commits is counted, and no longer: it may hang in a read. */
  async #unlessInterrupted(work: Promise<void>): Promise<void> {
    const { signal } = this.options;
    if (!signal) return work;
    const overdue = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => setTimeout(resolve, INTERRUPTION_GRACE_MS), { once: true });
    });
    await Promise.race([work, overdue]);
    signal.throwIfAborted();
  }

  async *#plan(): AsyncGenerator<BatchToLoad> {
    const { source, pool, window, prefix, reload } = this.options;
    yield* planBatches({
      source,
      window,
      prefix,
      maxObjects: this.#read.batchRows,
      subtractLoaded: async (objects, notYetLoaded) =>
        reload ? objects : this.#retrying(() => notYetLoaded(pool, objects)),
      onListed: (page) => {
        this.#record.listed(page);
        if (page.unnamable[0]) this.#record.failed(unnamableKey(page.unnamable[0]));
        this.#report();
      },
    });
    this.#record.isListed = true;
    this.#report();
  }

  #startReading(batch: BatchToLoad | undefined) {
    if (!batch || this.#isTimeUp()) return undefined;
    this.#ahead = prefetch(this.#chunksOf(batch), CHUNKS_AHEAD);
    return this.#ahead;
  }

  /** Objects that cannot be read are left out of their batch, which is loaded without them. */
  async #load(batch: BatchToLoad, firstChunks: AsyncIterable<EventChunk> | undefined): Promise<void> {
    let attempt = 0;
    const result = await this.#retrying(() => {
      const chunks = attempt++ === 0 && firstChunks ? firstChunks : this.#chunksOf(batch);
      return this.#record.timed("loadMs", () => this.#sink.load(batch.objects, this.#watch(chunks), attempt));
    });
    this.#record.loaded(result);
    for (const failure of result.failures.values()) this.#record.unread(failure);
    if (!this.options.dryRun && !this.#isTimeUp()) this.#background.committed(result.events.inserted);
    this.#record.bytes.loaded += batch.bytes;
    this.#report();
  }

  #chunksOf(batch: BatchToLoad): AsyncIterable<EventChunk> {
    return readChunks(this.options.source, batch.objects, { ...this.#read, health: this.#health });
  }

  async *#watch(chunks: AsyncIterable<EventChunk>): AsyncGenerator<EventChunk> {
    for await (const chunk of this.#record.timedChunks(chunks)) {
      this.options.signal?.throwIfAborted();
      yield chunk;
      this.#report();
    }
  }

  /**
   * Also after a failure, and for what an earlier run was killed before it could refresh. What fails here leaves its marks
   * to the next run, and this one is what its load made of it.
   */
  async #refresh(): Promise<void> {
    const refresh = () =>
      this.#record.timed("rollupsMs", async () => {
        await this.#background.ended();
        await refreshRollups(this.options.pool, this.#refreshOptions);
      });
    const once = () => refresh().catch((error) => (isPatienceOver(error) ? error : Promise.reject(error)));
    const failure = await (this.#record.isAborted ? once() : this.#retrying(once)).catch((error) => error);
    if (failure === undefined) return;
    this.#record.rollupsRefreshed = false;
    this.#record.failed(failure);
  }

  get #refreshOptions(): RefreshOptions {
    const { endBudgetMs } = this.options;
    return endBudgetMs === undefined ? {} : { remainingMs: () => endBudgetMs - this.#record.elapsedMs };
  }

  /** What the run did stands in the warehouse even when its own row cannot be written. */
  async #write(summary: RunSummary): Promise<void> {
    const write = () => recordEnd(this.options.pool, summary, this.#record.timings);
    const isOver = this.#record.isAborted || this.#record.isInterrupted;
    await (isOver ? write() : this.#retrying(write)).catch((error) => {
      summary.error ??= describeError(toLoadError(error));
    });
  }

  #window(): RunSummary["window"] {
    const { window } = this.options;
    return window && { from: window.from.toISOString(), to: window.to.toISOString() };
  }

  #isTimeUp(): boolean {
    const { timeBudgetMs, signal } = this.options;
    if (signal?.aborted) return true;
    return timeBudgetMs !== undefined && this.#record.elapsedMs >= timeBudgetMs;
  }

  #report(): void {
    this.options.onProgress?.(this.#record.progress);
  }

  #retrying<T>(work: () => Promise<T>): Promise<T> {
    return retrying(this.#retry, () => work().catch((error) => Promise.reject(toLoadError(error))));
  }
}

const unnamableKey = ({ bucket, key }: SourceObject): ExtractError =>
  new ExtractError(
    "fatal",
    `The key ${JSON.stringify(key)} in ${bucket} holds U+0000, which PostgreSQL cannot: rename the object.`,
  );
