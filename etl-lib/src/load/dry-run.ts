import { countReject, noEvents } from "../counts.js";
import type { ExtractError } from "../errors.js";
import type { EncodedRows } from "../rows/copy-buffer.js";
import type { EventChunk } from "../rows/event-chunk.js";
import { RepairLog } from "../transform/repair.js";
import type { BatchResult } from "./batch-load.js";
import { copyIntoStage } from "./copy.js";
import { type Keeping, leaveOut } from "./left-out.js";
import { OpenObject } from "./open-object.js";
import type { WarehouseClient } from "./warehouse.js";

/** What was staged so far; objects by their index in the batch. */
interface Staged extends Pick<BatchResult, "events" | "rejects" | "warnings"> {
  readonly objects: Set<number>;
}

/** A batch of a dry run: its rows go through the table's types and against its keys, but not into it. */
export class DryRunStage {
  readonly #failures = new Map<number, ExtractError>();
  readonly #open: OpenObject<Staged>;
  #staged: Staged = { objects: new Set(), events: noEvents(), rejects: {}, warnings: {} };

  constructor(
    private readonly client: WarehouseClient,
    private readonly keeping: Keeping,
  ) {
    this.#open = new OpenObject(client);
  }

  get result(): BatchResult {
    const { objects, ...totals } = this.#staged;
    return { read: objects.size, loaded: objects.size, failures: this.#failures, ...totals };
  }

  async begin(): Promise<void> {
    await this.client.query("SAVEPOINT batch");
  }

  async undo(): Promise<void> {
    await this.client.query("ROLLBACK TO SAVEPOINT batch");
  }

  async add(chunk: EventChunk): Promise<void> {
    this.#staged = await this.#open.enter(chunk, this.#staged);
    for (const [object, failure] of chunk.failures) this.#failures.set(object, failure);
    const { objects, events, rejects, warnings } = this.#staged;
    const wanted = new Uint8Array(chunk.rows.count).fill(1);
    const leftOut = leaveOut(chunk, wanted, this.keeping);
    const inserted = await this.#countNew(chunk.rows.only(wanted));
    for (const [object, { read, rejected }] of chunk.tallies) {
      objects.add(object);
      events.read += read;
      events.rejected += rejected;
      events.duplicates += read - rejected;
    }
    events.inserted += inserted;
    const expired = sumOf(leftOut.expired);
    events.expired += expired;
    events.erased += sumOf(leftOut.erased);
    events.duplicates -= inserted + expired;
    for (const { cause, records } of chunk.rejects) countReject(rejects, cause, records);
    new RepairLog(warnings).merge(chunk.repairs.warnings);
    await this.#open.leave(chunk);
  }

  async #countNew(rows: EncodedRows): Promise<number> {
    if (rows.count === 0) return 0;
    await copyIntoStage(this.client, rows);
    const { rowCount } = await this.client.query(
      `INSERT INTO pg_temp.etl_seen
       SELECT event_id FROM pg_temp.etl_stage AS staged
       WHERE NOT EXISTS (SELECT FROM public.clickstream_events AS event WHERE event.event_id = staged.event_id)
       ON CONFLICT DO NOTHING`,
    );
    return rowCount ?? 0;
  }
}

const sumOf = (counts: ReadonlyMap<number, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);
