import type { ExtractError } from "../errors.js";
import { type EventSpan, noteSpan, startOfHour } from "../times.js";
import { RepairLog } from "../transform/repair.js";
import type { TransformedRecords } from "../transform/transform-records.js";
import type { EventDetails, EventRow, Reject } from "../types.js";
import { CopyBuffer } from "./copy-buffer.js";
import { addDetails } from "./copy-details.js";
import { addRow } from "./copy-row.js";
import { RowBuffer } from "./row-buffer.js";

/** What one object contributed to a chunk, before the warehouse said what of it was new. */
export interface ObjectTally extends EventSpan {
  read: number;
  rejected: number;
  /** The same event twice in this chunk. */
  duplicates: number;
}

/** An event that was read without a row of it being made: it writes its own. */
export interface ScannedEvent {
  /** In milliseconds since 1970. */
  readonly time: number;
  readonly details: { write(details: CopyBuffer, rows: CopyBuffer): void } | null;
  /** Writes the row behind those of `rows`. @returns its end */
  write(rows: RowBuffer): number;
}

/** What a reject takes beside its text, roughly. */
const REJECT_BYTES = 256;

/**
 * Rows and rejects on their way to the warehouse, encoded for COPY. An event that comes twice in a chunk is counted
 * as a duplicate here, so that COPY meets each event_id once.
 */
export class EventChunk {
  readonly rows = new RowBuffer();
  /** Of each row; of none where they are not asked for. */
  readonly details = new CopyBuffer();
  /** Of each row, the index of its object in the batch. */
  readonly objectOfRow: number[] = [];
  readonly rejects: (Reject & { readonly object: number })[] = [];
  readonly tallies = new Map<number, ObjectTally>();
  /** Objects that could not be read, or not to their end: what earlier chunks hold of them is to be undone. */
  readonly failures = new Map<number, ExtractError>();
  /** The object, alone in this chunk, of which the next one has more. */
  continues: number | undefined;
  readonly repairs = new RepairLog();
  /** Of each row, the start of the UTC hour it lies in, in milliseconds since 1970. */
  readonly hourOfRow: number[] = [];
  #rejectBytes = 0;

  get isEmpty(): boolean {
    return this.tallies.size === 0 && this.failures.size === 0;
  }

  /** Rows and rejects. */
  get count(): number {
    return this.rows.count + this.rejects.length;
  }

  /** What is held, in bytes, roughly. */
  get size(): number {
    return this.rows.length + this.details.length + this.#rejectBytes;
  }

  /** Gives the memory of the rows back: call when they are in the warehouse. */
  free(): void {
    this.rows.free();
    this.details.free();
  }

  /** Adds what records of an object became; one without a record is known all the same. */
  add(object: number, { rows, details, rejects, repairs }: TransformedRecords): void {
    this.#tally(object);
    for (const [index, row] of rows.entries()) this.addRow(object, row, details[index]);
    for (const reject of rejects) this.addReject(object, reject);
    this.repairs.merge(repairs.warnings);
  }

  addRow(object: number, row: EventRow, details?: EventDetails): void {
    const isNew = addRow(this.rows, row);
    if (isNew && details) addDetails(this.details, this.rows, details);
    this.#count(object, isNew, row.event_timestamp.getTime());
  }

  addScanned(object: number, event: ScannedEvent): void {
    const isNew = this.rows.push(event.write(this.rows));
    if (isNew) event.details?.write(this.details, this.rows);
    this.#count(object, isNew, event.time);
  }

  #count(object: number, isNew: boolean, time: number): void {
    const tally = this.#tally(object);
    tally.read++;
    if (!isNew) {
      tally.duplicates++;
      return;
    }
    this.objectOfRow.push(object);
    this.hourOfRow.push(startOfHour(time));
    noteSpan(tally, { firstEventAt: time, lastEventAt: time });
  }

  addReject(object: number, reject: Reject): void {
    const tally = this.#tally(object);
    tally.read += reject.records;
    tally.rejected += reject.records;
    this.rejects.push({ ...reject, object });
    this.#rejectBytes += REJECT_BYTES + reject.raw.length;
  }

  #tally(object: number): ObjectTally {
    let tally = this.tallies.get(object);
    if (!tally) {
      tally = { read: 0, rejected: 0, duplicates: 0, firstEventAt: null, lastEventAt: null };
      this.tallies.set(object, tally);
    }
    return tally;
  }
}
