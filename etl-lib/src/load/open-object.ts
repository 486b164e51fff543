import type { EventChunk } from "../rows/event-chunk.js";
import type { Queryable } from "./warehouse.js";

/**
 * Holds the object that spans several chunks apart from the others of its transaction: when it fails in the middle,
 * what was written of it is taken back, and they stay.
 * @typeParam Totals what was counted so far, which goes back with it
 */
export class OpenObject<Totals> {
  #open: { readonly object: number; readonly before: Totals } | undefined;

  constructor(private readonly db: Queryable) {}

  /** Call before a chunk is written. @returns the totals to go on from */
  async enter(chunk: EventChunk, totals: Totals): Promise<Totals> {
    if (this.#open && chunk.failures.has(this.#open.object)) {
      const { before } = this.#open;
      await this.db.query("ROLLBACK TO SAVEPOINT open_object");
      await this.#release();
      return this.enter(chunk, before);
    }
    if (chunk.continues !== undefined && !this.#open) {
      await this.db.query("SAVEPOINT open_object");
      this.#open = { object: chunk.continues, before: structuredClone(totals) };
    }
    return totals;
  }

  /** Call when the chunk is written. */
  async leave(chunk: EventChunk): Promise<void> {
    if (this.#open && chunk.continues === undefined) await this.#release();
  }

  async #release(): Promise<void> {
    this.#open = undefined;
    await this.db.query("RELEASE SAVEPOINT open_object");
  }
}
