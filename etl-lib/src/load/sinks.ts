import type { EventChunk } from "../rows/event-chunk.js";
import type { SourceObject } from "../types.js";
import { BatchLoad, type BatchOptions, type BatchResult } from "./batch-load.js";
import { lockForBatch } from "./batch-lock.js";
import { DryRunStage } from "./dry-run.js";
import { InsertNew } from "./insert-new.js";
import { isLoadedBy } from "./ledger.js";
import { type Keeping, readKeeping } from "./left-out.js";
import { markStale } from "./rollups.js";
import { foldersOf, sealedMeanwhile } from "./seals.js";
import { checkOut, inTransaction, type WarehouseClient, type WarehousePool } from "./warehouse.js";

/** Where batches go. A batch is loaded as a whole or, when `load` throws, not at all. */
export interface BatchSink {
  /** @param attempt 1 for the first; a later one may find that the commit before it did go through */
  load(
    objects: readonly SourceObject[],
    chunks: AsyncIterable<EventChunk>,
    attempt: number,
  ): Promise<BatchResult>;
  close(): Promise<void>;
}

const DEADLOCK = "40P01";

/**
 * Each batch in a transaction of its own. Two that hold the same events in another order can meet in a deadlock: the
 * one that PostgreSQL ends is tried again alone, or many runs could go on ending each other.
 */
export class WarehouseSink implements BatchSink {
  readonly #insertNew = new InsertNew();
  #alone = false;
  #keeping: Keeping | undefined;
  /** What the transaction asked to commit last holds; the answer may have been lost. */
  #unconfirmed: BatchResult | undefined;

  constructor(
    private readonly pool: WarehousePool,
    private readonly runId: string,
    private readonly options: Omit<BatchOptions, "keeping">,
    /** How often each folder had been sealed when the run listed it. */
    private readonly sealsSeen: ReadonlyMap<string, number>,
  ) {}

  async load(objects: readonly SourceObject[], chunks: AsyncIterable<EventChunk>, attempt: number) {
    if (attempt === 1) this.#unconfirmed = undefined;
    const committed = this.#unconfirmed;
    if (committed && (await isLoadedBy(this.pool, this.runId, objects))) return committed;
    const loaded = inTransaction(this.pool, async (client) => {
      await lockForBatch(client, foldersOf(objects), this.#alone);
      this.#keeping = await readKeeping(client, this.#keeping);
      const options = { ...this.options, keeping: this.#keeping };
      const batch = new BatchLoad(client, this.runId, objects, this.#insertNew, options);
      batch.skip(await sealedMeanwhile(client, objects, this.sealsSeen));
      for await (const chunk of chunks) {
        await batch.add(chunk);
        chunk.free();
      }
      const result = await batch.finish();
      // The claim waited for a commit that had not arrived yet when it was looked for above.
      if (committed && result.loaded === 0 && (await isLoadedBy(client, this.runId, objects)))
        return committed;
      if (batch.hours.size > 0) await markStale(client, batch.hours);
      this.#unconfirmed = result;
      this.#alone = false;
      return result;
    });
    return loaded.catch((error) => {
      this.#alone ||= error.code === DEADLOCK;
      throw error;
    });
  }

  async close(): Promise<void> {}
}

/** Stages and counts in temporary tables of one transaction, which is rolled back. */
export class DryRunSink implements BatchSink {
  #client: WarehouseClient | undefined;

  constructor(private readonly pool: WarehousePool) {}

  async load(_objects: readonly SourceObject[], chunks: AsyncIterable<EventChunk>): Promise<BatchResult> {
    this.#client ??= await this.#begin();
    const stage = new DryRunStage(this.#client, await readKeeping(this.#client));
    await stage.begin();
    try {
      for await (const chunk of chunks) await stage.add(chunk);
    } catch (error) {
      await stage.undo();
      throw error;
    }
    return stage.result;
  }

  async close(): Promise<void> {
    await this.#client?.query("ROLLBACK").finally(() => this.#client?.release(true));
  }

  async #begin(): Promise<WarehouseClient> {
    const client = await checkOut(this.pool);
    await client.query("BEGIN");
    await client.query("CREATE TEMP TABLE etl_seen (event_id uuid PRIMARY KEY) ON COMMIT DROP");
    return client;
  }
}
