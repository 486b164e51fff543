const FIRST_BYTES = 64 * 1024;

/**
 * Lines of text as UTF-8 outside of the JavaScript heap. As strings they would be ropes of their fields, and take six
 * times the memory.
 */
export class LineBuffer {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** Where each line ends. */
  readonly #ends: number[] = [];

  get count(): number {
    return this.#ends.length;
  }

  /** In bytes. */
  get size(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** All lines, one behind the other. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.size);
  }

  line(index: number): Buffer {
    return this.#bytes.subarray(this.#ends[index - 1] ?? 0, this.#ends[index]);
  }

  push(line: string): void {
    const from = this.size;
    const mostBytes = from + line.length * 3;
    if (mostBytes > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(mostBytes, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, from);
      this.#bytes = larger;
    }
    this.#ends.push(from + this.#bytes.write(line, from));
  }
}
