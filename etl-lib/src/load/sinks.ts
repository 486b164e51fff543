import type { SourceObject } from "../types.js";
import { BatchLoad, type BatchResult, type CopyMode } from "./batch-load.js";
import { DryRunStage } from "./dry-run.js";
import type { EventChunk } from "./event-chunk.js";
import { loadedByRun } from "./ledger.js";
import { markStale } from "./rollups.js";
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

/** Each batch in a transaction of its own. */
export class WarehouseSink implements BatchSink {
  readonly #mode: CopyMode = { direct: true };

  constructor(
    private readonly pool: WarehousePool,
    private readonly runId: string,
  ) {}

  async load(objects: readonly SourceObject[], chunks: AsyncIterable<EventChunk>, attempt: number) {
    const committed = attempt > 1 ? await loadedByRun(this.pool, this.runId, objects) : undefined;
    if (committed) return committed;
    return inTransaction(this.pool, async (client) => {
      const batch = new BatchLoad(client, this.runId, objects, this.#mode);
      for await (const chunk of chunks) await batch.add(chunk);
      const result = await batch.finish();
      if (result.events.inserted > 0) await markStale(client, batch.hours);
      return result;
    });
  }

  async close(): Promise<void> {}
}

/** Stages and counts in temporary tables of one transaction, which is rolled back. */
export class DryRunSink implements BatchSink {
  #client: WarehouseClient | undefined;

  constructor(private readonly pool: WarehousePool) {}

  async load(objects: readonly SourceObject[], chunks: AsyncIterable<EventChunk>): Promise<BatchResult> {
    this.#client ??= await this.#begin();
    const stage = new DryRunStage(this.#client, objects.length);
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
