import type { RowBuffer } from "../rows/row-buffer.js";
import { copyIntoEvents } from "./copy.js";
import { knownEvents } from "./known-events.js";
import type { WarehouseClient } from "./warehouse.js";

/** Duplicates seldom come alone: so many chunks after one that had some are asked about first as well. */
const CHUNKS_TO_ASK_ABOUT = 16;

/**
 * Copies what is new straight into the table. A chunk without a duplicate costs no more than its COPY; where there are
 * some, the table is asked first which of the chunk's events it has.
 */
export class InsertNew {
  #toAskAbout = 0;

  /**
   * @param wanted 1 for each row to insert; what the table has already is set to 0
   * @throws what PostgreSQL says; the caller's transaction has then failed
   */
  async insert(client: WarehouseClient, rows: RowBuffer, wanted: Uint8Array): Promise<void> {
    if (this.#toAskAbout > 0) {
      this.#toAskAbout--;
      await this.#dropKnown(client, rows, wanted);
    }
    for (;;) {
      const duplicate = await tryCopy(client, rows, wanted);
      // After a look-up only an event that someone else has committed since: the next look-up sees it.
      if (duplicate && (await this.#dropKnown(client, rows, wanted)) === 0) throw duplicate;
      if (!duplicate) return;
    }
  }

  /** @returns how many rows are known */
  async #dropKnown(client: WarehouseClient, rows: RowBuffer, wanted: Uint8Array): Promise<number> {
    const known = await knownEvents(client, rows, wanted);
    for (const row of known) wanted[row] = 0;
    if (known.length > 0) this.#toAskAbout = CHUNKS_TO_ASK_ABOUT;
    return known.length;
  }
}

/** @returns the error when an event is there already; the table is then as before */
async function tryCopy(client: WarehouseClient, rows: RowBuffer, wanted: Uint8Array): Promise<unknown> {
  const some = rows.only(wanted);
  if (some.count === 0) return undefined;
  await client.query("SAVEPOINT chunk");
  try {
    await copyIntoEvents(client, some);
    await client.query("RELEASE SAVEPOINT chunk");
    return undefined;
  } catch (error) {
    if ((error as { code?: string }).code !== "23505") throw error;
    await client.query("ROLLBACK TO SAVEPOINT chunk");
    return error;
  }
}
