const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** `ValueEnd` in bytes: finds where an object or array ends without reading what is in it, over any number of pieces. */
export class ByteEnd {
  #depth = 0;
  #quoted = false;
  #escaped = false;
  /** Brackets that were open together, at most. */
  deepest = 0;

  /** Index just behind the last byte of the value that begins at `from`, or goes on there; -1 when it does not end. */
  find(bytes: Uint8Array, from: number, end = bytes.length): number {
    for (let index = from; index < end; index++) {
      const byte = bytes[index] as number;
      if (this.#escaped) this.#escaped = false;
      else if (this.#quoted) {
        if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#quoted = false;
      } else if (byte === QUOTE) this.#quoted = true;
      // [ and {, ] and } differ in one bit only.
      else if ((byte & ~0x20) === 0x5b) this.#open();
      else if ((byte & ~0x20) === 0x5d && --this.#depth === 0) return index + 1;
    }
    return -1;
  }

  #open(): void {
    if (++this.#depth > this.deepest) this.deepest = this.#depth;
  }
}
