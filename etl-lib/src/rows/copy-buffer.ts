import { giveBack, takeBuffer } from "./spare-buffers.js";

/** Rows in PostgreSQL's binary COPY format, one behind the other. */
export interface EncodedRows {
  readonly bytes: Buffer;
  readonly count: number;
}

/** Rows in the making, in memory outside of the JavaScript heap. */
export class CopyBuffer {
  /** Room for what is written; valid up to `length`, and replaced by `reserve`. */
  bytes = takeBuffer();
  /** Where each row ends. */
  readonly #ends: number[] = [];

  get count(): number {
    return this.#ends.length;
  }

  get length(): number {
    return this.#ends.at(-1) ?? 0;
  }

  all(): EncodedRows {
    return { bytes: this.bytes.subarray(0, this.length), count: this.count };
  }

  /** The rows that are 1 in `kept`. */
  only(kept: Uint8Array): EncodedRows {
    const count = kept.reduce((sum, one) => sum + one, 0);
    if (count === this.count) return this.all();
    const bytes = Buffer.allocUnsafeSlow(this.length);
    let to = 0;
    for (let row = 0; row < this.count; row++)
      if (kept[row]) to += this.bytes.copy(bytes, to, this.start(row), this.#ends[row]);
    return { bytes: bytes.subarray(0, to), count };
  }

  /** Nothing is asked of the rows any more. */
  free(): void {
    giveBack(this.bytes);
    this.bytes = Buffer.alloc(0);
    this.#ends.length = 0;
  }

  /** Makes room for so many bytes more. @returns where to write them */
  reserve(size: number): number {
    const at = this.length;
    if (at + size > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(at + size, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, at);
      giveBack(this.bytes);
      this.bytes = larger;
    }
    return at;
  }

  /** Keeps the row written behind the last one up to `end`. @returns whether it did */
  push(end: number): boolean {
    this.#ends.push(end);
    return true;
  }

  /** Where a row begins. */
  start(index: number): number {
    return this.#ends[index - 1] ?? 0;
  }
}
