const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Finds where an object or array ends without reading what is in it: only brackets and quotes count. For values that
 * are rejected anyway (too large, too deep), whose nesting a tokenizer would have to remember.
 */
export class ValueEnd {
  #quoted = false;
  #escaped = false;

  /** @param depth how many brackets are open before the first text. */
  constructor(private depth: number) {}

  /** Index just behind the value's last character in `text`, or -1 when it goes on. */
  find(text: string, from = 0): number {
    for (let index = from; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (this.#escaped) this.#escaped = false;
      else if (this.#quoted) this.#inString(code);
      else if (code === QUOTE) this.#quoted = true;
      // [ and {, ] and } differ in one bit only.
      else if ((code & ~0x20) === 0x5b) this.depth++;
      else if ((code & ~0x20) === 0x5d && --this.depth === 0) return index + 1;
    }
    return -1;
  }

  #inString(code: number): void {
    if (code === BACKSLASH) this.#escaped = true;
    else if (code === QUOTE) this.#quoted = false;
  }
}

const COMMA = 0x2c;

/** The text of each element, as it was written, of an array that is known to be JSON. Cheapest in their order. */
export class ElementTexts {
  #index = -1;
  #from = 0;
  #to: number;

  constructor(private readonly array: string) {
    this.#to = array.indexOf("[");
  }

  at(index: number): string {
    if (index < this.#index) {
      this.#index = -1;
      this.#to = this.array.indexOf("[");
    }
    for (; this.#index < index; this.#index++) {
      this.#from = this.#to + 1;
      this.#to = this.#end(this.#from);
    }
    return this.array.slice(this.#from, this.#to).trim();
  }

  /** Index of the comma or bracket behind the element that begins at `from`. */
  #end(from: number): number {
    let [depth, quoted] = [0, false];
    for (let index = from; index < this.array.length; index++) {
      const code = this.array.charCodeAt(index);
      if (quoted) {
        if (code === BACKSLASH) index++;
        else quoted = code !== QUOTE;
      } else if (code === QUOTE) quoted = true;
      else if ((code & ~0x20) === 0x5b) depth++;
      else if ((code & ~0x20) === 0x5d) {
        if (depth-- === 0) return index;
      } else if (code === COMMA && depth === 0) return index;
    }
    return this.array.length;
  }
}
