import { CopyBuffer } from "./copy-buffer.js";

/** Of a row: the number of its fields, then the length of the first one. */
const FIELDS_OFFSET = 2;
const ID_OFFSET = 6;
export const ID_BYTES = 16;

/**
 * Rows of events. A row begins with its number of fields and its event_id, by which each event is here once.
 */
export class RowBuffer extends CopyBuffer {
  /** A hash table of row numbers (from 1) by event_id, at most half full. */
  #slots = new Int32Array(1024);

  /** The 16 bytes of a row's event_id. */
  id(index: number): Buffer {
    const from = this.start(index) + ID_OFFSET;
    return this.bytes.subarray(from, from + ID_BYTES);
  }

  /** The value of a column of text. */
  text(index: number, column: number): string | null {
    const { bytes } = this;
    let at = this.start(index) + FIELDS_OFFSET;
    for (let before = 0; before < column; before++) at += 4 + Math.max(0, bytes.readInt32BE(at));
    const length = bytes.readInt32BE(at);
    return length < 0 ? null : bytes.toString("utf8", at + 4, at + 4 + length);
  }

  /** The row of an event, or -1. @param uuid as PostgreSQL writes it */
  indexOf(uuid: string): number {
    const at = this.reserve(ID_OFFSET + ID_BYTES) + ID_OFFSET;
    this.bytes.write(uuid.replaceAll("-", ""), at, "hex");
    return (this.#slots[this.#find(at)] as number) - 1;
  }

  /** Keeps the row written behind the last one up to `end`. False when its event is here already. */
  override push(end: number): boolean {
    const slot = this.#find(this.length + ID_OFFSET);
    if (this.#slots[slot] !== 0) return false;
    super.push(end);
    this.#slots[slot] = this.count;
    if (this.count * 2 > this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 4);
    for (let row = 0; row < this.count; row++) this.#slots[this.#find(this.start(row) + ID_OFFSET)] = row + 1;
  }

  /** The slot of this id, or the free one where it belongs. Hostile ids cost a chunk's square at worst, which is small. */
  #find(at: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(at) & mask;
    for (;;) {
      const row = this.#slots[slot] as number;
      if (row === 0 || this.#isSame(at, this.start(row - 1) + ID_OFFSET)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #hash(at: number): number {
    const { bytes } = this;
    let hash = 0;
    for (let index = at; index < at + ID_BYTES; index++)
      hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
    return hash ^ (hash >>> 15);
  }

  #isSame(a: number, b: number): boolean {
    const { bytes } = this;
    for (let offset = 0; offset < ID_BYTES; offset++)
      if (bytes[a + offset] !== bytes[b + offset]) return false;
    return true;
  }
}
