import { randomUUID } from "node:crypto";
import { ContractSample } from "../contract/sample.js";
import { ExtractError } from "../errors.js";
import { LISTINGS_AT_ONCE, LISTINGS_AT_ONCE_AFTER_A_CUT } from "../extract/plan.js";
import { lookbackWindow } from "../extract/window.js";
import { exportLake } from "../lake/export.js";
import type { LakeStore } from "../lake/store.js";
import { evaluateAlerts } from "../load/alerts.js";
import { BackgroundRefresh } from "../load/background-refresh.js";
import { assertSchema } from "../load/migrate.js";
import { toLoadError } from "../load/pg-errors.js";
import { keptFromOf, prune, pruneRecords, waitError } from "../load/prune.js";
import { isPatienceOver, type RefreshOptions, refreshRollups, refreshStep } from "../load/rollups.js";
import { recordEnd, recordStart } from "../load/runs.js";
import { type BatchSink, DryRunSink, WarehouseSink } from "../load/sinks.js";
import { listUnfinished, noteUnfinished } from "../load/unfinished.js";
import type { WarehousePool } from "../load/warehouse.js";
import { DEFAULT_RETRY, type RetryPolicy, retrying } from "../retry.js";
import type { EventChunk } from "../rows/event-chunk.js";
import type { DetailsOptions } from "../transform/details.js";
import type { RunSummary, RunTrigger, Source, SourceObject, Window } from "../types.js";
import { Coverage, type Covered } from "./coverage.js";
import { type FreshPage, freshListings } from "./fresh-objects.js";
import { LookBack, type LookbackOptions, sealFolders } from "./look-back.js";
import type { RunObserver } from "./observer.js";
import { type BatchToLoad, nameOf, planBatches } from "./plan-batches.js";
import { prefetch } from "./prefetch.js";
import { type ReadOptions, readChunks } from "./read-chunks.js";
import { ReadHealth } from "./read-health.js";
import { describeError, type RunProgress, RunRecord } from "./run-record.js";
import { TimeBudget } from "./time-budget.js";

export interface RunOptions {
  readonly source: Source;
  readonly pool: WarehousePool;
  /** Null: all that lies below the prefix, or the look-back. */
  readonly window: Window | null;
  /**
   * Instead of a window: the newest hours, and once a day and after a run that did not end well all of the look-back. A dry
   * run takes all of it and notes nothing.
   */
  readonly lookback?: LookbackOptions | undefined;
  /** Key prefix to list. @default "events/" */
  readonly prefix?: string | undefined;
  readonly trigger: RunTrigger;
  /**
   * Read again also what the ledger says is loaded, and bring back what the table lacks of it: without a duplicate, and
   * with counts that say what lies in the table. @default false
   */
  readonly reload?: boolean;
  /** Late events of pruned days are kept in `etl.late_events` for the lake's export. @default false: they are counted */
  readonly keepsLate?: boolean | undefined;
  /** Load what the rows leave out beside them; null: the rows alone. @default without IP addresses */
  readonly details?: DetailsOptions | null;
  /** Where closed days are written as files. @default there is no lake */
  readonly lake?: LakeStore | undefined;
  /** Stage and count, then roll back. @default false */
  readonly dryRun?: boolean;
  /** Objects read at the same time. @default 128 */
  readonly concurrency?: number;
  /** Rows of a batch, roughly: one object is never split over two transactions. @default 20000 */
  readonly batchRows?: number;
  /** False: nothing is listed or loaded; the run refreshes the rollups alone. @default true */
  readonly load?: boolean | undefined;
  /** Prune old days, and old records of quarantine and runs. @default all is kept */
  readonly retention?: RetentionDays | undefined;
  /** Refresh the rollups: false leaves the hours marked for a later refresh. @default true */
  readonly rollups?: boolean | undefined;
  /** No page is listed and no batch started after this many milliseconds: see `objects.remaining` and `unlisted`. */
  readonly timeBudgetMs?: number | undefined;
  /** Aborted: the batch at hand is rolled back, nothing is refreshed, and the run ends as `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** The run, with the refresh at its end, takes no longer than this many milliseconds: what is left stays marked. */
  readonly endBudgetMs?: number | undefined;
  readonly retry?: RetryPolicy;
  /** Called after each chunk and each page of the listing. */
  readonly onProgress?: (progress: RunProgress) => void;
  /** Told when stages and batches begin and end. */
  readonly observer?: RunObserver | undefined;
  /** Milliseconds. @default Date.now */
  readonly clock?: () => number;
}

/** Whole days that are kept before today's; 0: for ever. */
export interface RetentionDays {
  readonly events: number;
  readonly rejects: number;
  readonly runs: number;
}

/** Chunks of the next batch that are made while one commits. */
const CHUNKS_AHEAD = 2;
/** What is under way when a run is interrupted has so long to end. */
const INTERRUPTION_GRACE_MS = 400;
/** Of the time budget, after which nothing more is listed, so that what was found is loaded. */
const LISTING_SHARE = 0.9;
/** The ledger of old days is sealed for so long; a later run goes on with it. */
const LONGEST_SEALING_MS = 60_000;
/** Old days are pruned for so long. */
const LONGEST_PRUNING_MS = 120_000;
/** Alerts that take longer are left to the next run. */
const LONGEST_ALERTS_MS = 10_000;
/** Closed days are written into the lake for so long. */
const LONGEST_EXPORT_MS = 300_000;
/** Batches planned ahead, so that a reader soon knows the total. */
const BATCHES_AHEAD = 25;
/**
 * Loads what is new in the window, exactly once. Never throws for a run that fails: the summary says why, and what
 * was committed before stays, so that the next run loads the rest.
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
  readonly #read: Pick<ReadOptions, "concurrency" | "batchRows" | "details">;
  readonly #health: ReadHealth;
  readonly #time: TimeBudget;
  /** A run that had time to begin loads something, however little is left when it is known what. */
  #hasTried = true;
  readonly #contract = new ContractSample();
  readonly #coverage = new Coverage();
  readonly #sealsSeen = new Map<string, number>();
  #lookBack: LookBack | undefined;
  #ahead: AsyncIterableIterator<EventChunk> | undefined;

  constructor(private readonly options: RunOptions) {
    const {
      pool,
      dryRun,
      reload = false,
      keepsLate = false,
      clock = Date.now,
      retry = DEFAULT_RETRY,
      concurrency = 128,
      batchRows = 20_000,
      details = {},
    } = options;
    this.#record = new RunRecord(clock, options.observer);
    this.#sink = dryRun
      ? new DryRunSink(pool)
      : new WarehouseSink(pool, this.#runId, { reload, keepsLate }, this.#sealsSeen);
    this.#background = new BackgroundRefresh(() => refreshStep(pool, this.#refreshOptions), clock);
    this.#retry = retry;
    this.#read = { concurrency, batchRows, details };
    this.#health = new ReadHealth(clock);
    this.#time = new TimeBudget(clock, options.timeBudgetMs);
  }

  async execute(): Promise<RunSummary> {
    try {
      await this.#begin();
      if (this.options.load ?? true) await this.#unlessInterrupted(this.#loadAll());
    } catch (error) {
      if (this.options.signal?.aborted) this.#record.isInterrupted = true;
      else this.#record.aborted(error);
    }
    void this.#ahead?.return?.(); // may be in the middle of a retry that nobody waits for any more
    const closed = this.#sink.close().catch(() => undefined); // a dry run's connection may be gone already
    if (!this.#record.isInterrupted) await closed; // … or busy
    const { dryRun = false } = this.options;
    await this.#lookBack?.end(this.#record.isWell).catch(() => undefined); // the next run then takes this one for killed
    if (!dryRun && !this.#record.isInterrupted) await this.#keepHouse();
    const summary = this.#record.summarize({
      ...{ runId: this.#runId, window: this.#window(), dryRun },
      contract: this.#contract.summary,
    });
    if (!dryRun) await this.#write(summary);
    return summary;
  }

  async #begin(): Promise<void> {
    const { pool, trigger, source, prefix, dryRun } = this.options;
    await this.#retrying(() => assertSchema(pool));
    if (dryRun) return;
    await this.#beginLookBack();
    const window = this.#window();
    await this.#retrying(() =>
      recordStart(pool, { runId: this.#runId, trigger, bucket: source.bucket, prefix, window }),
    );
  }

  async #beginLookBack(): Promise<void> {
    const { pool, source, lookback } = this.options;
    if (!lookback) return;
    const run = { bucket: source.bucket, runId: this.#runId, now: new Date(this.#clock()) };
    this.#lookBack = await this.#retrying(() => LookBack.begin(pool, run, lookback));
  }

  /** Reads the next batch while one commits. */
  async #loadAll(): Promise<void> {
    this.#hasTried = this.#isTimeUp();
    const planned = prefetch(this.#plan(), BATCHES_AHEAD);
    try {
      let next = await this.#record.timed("planMs", () => planned.next());
      let chunks = this.#startReading(next.value);
      while (!next.done && this.#mayLoad() && !this.#health.isOutage) {
        const batch: BatchToLoad = next.value;
        this.#hasTried = true;
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
    const { source, pool, prefix, reload, dryRun } = this.options;
    const listings = freshListings({
      source,
      window: this.#scope,
      prefix,
      isDue: this.#lookBack?.isDue,
      db: pool,
      retrying: (query) => this.#retrying(query),
      reload,
      readOnly: dryRun,
      sealsSeen: this.#sealsSeen,
    });
    this.#record.objects.unlisted = listings.length;
    const slow = await this.#retrying(() => listUnfinished(pool, source.bucket));
    yield* planBatches({
      listings,
      listingsAtOnce: this.#lookBack?.isAfterACut ? LISTINGS_AT_ONCE_AFTER_A_CUT : LISTINGS_AT_ONCE,
      slow: new Set(slow.map(nameOf)),
      maxObjects: this.#read.batchRows,
      clock: this.#clock,
      isTimeUp: () => this.#isTimeUp(LISTING_SHARE),
      onListed: (page) => this.#listed(page),
    });
    this.#record.isListed = true;
    this.#report();
  }

  async #listed(page: FreshPage): Promise<void> {
    this.#record.listed(page);
    const [unnamable] = page.unnamable;
    if (unnamable) this.#record.failed(unnamableKey(unnamable));
    await this.#covered(this.#coverage.listed(page));
    this.#report();
  }

  async #covered(covered: Covered | null): Promise<void> {
    if (covered && this.#lookBack) await this.#retrying(async () => this.#lookBack?.covered(covered));
  }

  #startReading(batch: BatchToLoad | undefined) {
    if (!batch || !this.#mayLoad()) return undefined;
    this.#ahead = prefetch(this.#chunksOf(batch), CHUNKS_AHEAD);
    return this.#ahead;
  }

  /** Objects that cannot be read are left out of their batch, which is loaded without them. */
  async #load(batch: BatchToLoad, firstChunks: AsyncIterable<EventChunk> | undefined): Promise<void> {
    let attempt = 0;
    const ended = this.#record.observer.began("batch", { objects: batch.objects.length, bytes: batch.bytes });
    const result = await this.#retrying(() => {
      const chunks = attempt++ === 0 && firstChunks ? firstChunks : this.#chunksOf(batch);
      return this.#record.timed("loadMs", () => this.#sink.load(batch.objects, this.#watch(chunks), attempt));
    }).catch((error) => {
      ended({ error });
      throw error;
    });
    ended({ events: result.events });
    this.#record.loaded(result);
    for (const [index, failure] of result.failures) {
      this.#record.unread(failure);
      if (failure.kind === "unfinished" && !this.options.dryRun)
        await this.#retrying(() =>
          noteUnfinished(this.options.pool, this.#runId, batch.objects[index] as SourceObject),
        );
    }
    // In an outage, or when the time is up, some objects were not even tried.
    const isOutage = result.read + result.failures.size < batch.objects.length;
    for (const [index, unit] of batch.units.entries())
      await this.#covered(
        this.#coverage.settled(
          batch.objects[index] as SourceObject,
          unit,
          isOutage || result.failures.has(index),
        ),
      );
    this.#record.bytes.loaded += batch.bytes;
    this.#report();
    const { dryRun, rollups = true } = this.options;
    if (!dryRun && rollups && !this.#isTimeUp()) this.#background.committed(result.events.inserted);
  }

  #chunksOf(batch: BatchToLoad): AsyncIterable<EventChunk> {
    return readChunks(this.options.source, batch.objects, {
      ...this.#read,
      contract: this.#contract,
      health: this.#health,
      time: this.#time,
      isLast: batch.isLast,
    });
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

  /** What a run does once its rows are safe: it resumes, and makes no run a failure. */
  async #keepHouse(): Promise<void> {
    if (this.options.rollups ?? true) await this.#refresh();
    await this.#evaluateAlerts();
    if (this.#record.isAborted) return;
    await this.#record.timed("lakeMs", () => this.#export());
    await this.#record.timed("pruneMs", () => this.#prune());
    await this.#record.timed("sealMs", () => this.#seal());
  }

  async #prune(): Promise<void> {
    const { pool, retention, keepsLate = false } = this.options;
    if (!retention) return;
    const [since, now] = [this.#clock(), new Date(this.#clock())];
    const isTimeUp = () => this.#isTimeUp() || this.#clock() - since > LONGEST_PRUNING_MS;
    const before = (days: number) => (days > 0 ? keptFromOf(days, now) : undefined);
    try {
      const eventsBefore = before(retention.events);
      if (eventsBefore) {
        const { rows, waits } = await prune(pool, { before: eventsBefore, lake: keepsLate, isTimeUp });
        this.#record.pruned = rows;
        if (waits) this.#record.noted(waitError(waits));
      }
      const records = { rejectsBefore: before(retention.rejects), runsBefore: before(retention.runs) };
      await pruneRecords(pool, records, isTimeUp);
    } catch (error) {
      this.#record.pruned = null;
      this.#record.noted(error);
    }
  }

  async #evaluateAlerts(): Promise<void> {
    const { pool, endBudgetMs = Number.POSITIVE_INFINITY } = this.options;
    const timeoutMs = Math.min(LONGEST_ALERTS_MS, endBudgetMs - this.#record.elapsedMs);
    try {
      this.#record.alerts =
        timeoutMs > 0 ? await evaluateAlerts(pool, new Date(this.#clock()), timeoutMs) : null;
    } catch (error) {
      this.#record.alerts = null;
      this.#record.noted(error);
    }
  }

  async #export(): Promise<void> {
    const { pool, lake } = this.options;
    if (!lake) return;
    const since = this.#clock();
    const isTimeUp = () => this.#isTimeUp() || this.#clock() - since > LONGEST_EXPORT_MS;
    try {
      const { errors, ...done } = await exportLake(pool, lake, { now: new Date(since), isTimeUp });
      this.#record.lake = { ...done, failed: errors.length > 0 };
      for (const error of errors) this.#record.noted(error);
    } catch (error) {
      this.#record.lake = { days: 0, rows: 0, late: 0, waiting: 0, failed: true };
      this.#record.noted(error);
    }
  }

  async #seal(): Promise<void> {
    const { pool, source } = this.options;
    const since = this.#clock();
    const isTimeUp = () => this.#isTimeUp() || this.#clock() - since > LONGEST_SEALING_MS;
    try {
      this.#record.sealed = this.#lookBack
        ? await this.#lookBack.seal(isTimeUp)
        : await sealFolders(pool, source.bucket, this.#record.isWell ? this.#coverage.folders : [], isTimeUp);
    } catch (error) {
      this.#record.sealed = null;
      this.#record.noted(error);
    }
  }

  get #scope(): Window | null {
    const { window, lookback } = this.options;
    if (this.#lookBack) return this.#lookBack.window;
    return lookback ? lookbackWindow(lookback.hours, new Date(this.#clock())) : window;
  }

  #window(): RunSummary["window"] {
    const window = this.#scope;
    return window && { from: window.from.toISOString(), to: window.to.toISOString() };
  }

  get #clock(): () => number {
    return this.options.clock ?? Date.now;
  }

  #isTimeUp(share = 1): boolean {
    const { timeBudgetMs, signal } = this.options;
    if (signal?.aborted) return true;
    return timeBudgetMs !== undefined && this.#record.elapsedMs >= share * timeBudgetMs;
  }

  #mayLoad(): boolean {
    return !this.#isTimeUp() || (!this.#hasTried && this.options.signal?.aborted !== true);
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
