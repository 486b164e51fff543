import { countReject, noEvents } from "../counts.js";
import { RepairLog } from "../transform/repair.js";
import type { BatchResult } from "./batch-load.js";
import { copyIntoStage } from "./copy.js";
import type { EventChunk } from "./event-chunk.js";
import type { WarehouseClient } from "./warehouse.js";

/** A batch of a dry run: its rows go through the table's types and against its keys, but not into it. */
export class DryRunStage {
  readonly result: BatchResult;
  readonly #repairs = new RepairLog();

  constructor(
    private readonly client: WarehouseClient,
    objects: number,
  ) {
    this.result = {
      loaded: objects,
      events: noEvents(),
      rejects: {},
      warnings: this.#repairs.warnings,
    };
  }

  async begin(): Promise<void> {
    await this.client.query("SAVEPOINT batch");
  }

  async undo(): Promise<void> {
    await this.client.query("ROLLBACK TO SAVEPOINT batch");
  }

  async add(chunk: EventChunk): Promise<void> {
    const { events, rejects } = this.result;
    const inserted = await this.#countNew(chunk);
    for (const { read, rejected } of chunk.tallies.values()) {
      events.read += read;
      events.rejected += rejected;
      events.duplicates += read - rejected;
    }
    events.inserted += inserted;
    events.duplicates -= inserted;
    for (const { cause } of chunk.rejects) countReject(rejects, cause);
    this.#repairs.merge(chunk.repairs.warnings);
  }

  async #countNew(chunk: EventChunk): Promise<number> {
    if (chunk.rows.count === 0) return 0;
    await copyIntoStage(this.client, chunk.rows.all());
    const { rowCount } = await this.client.query(
      `INSERT INTO pg_temp.etl_seen
       SELECT event_id FROM pg_temp.etl_stage AS staged
       WHERE NOT EXISTS (SELECT FROM public.clickstream_events AS event WHERE event.event_id = staged.event_id)
       ON CONFLICT DO NOTHING`,
    );
    return rowCount ?? 0;
  }
}
