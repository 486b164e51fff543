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

/** The text of each element, as it was written, of an array that is known to be JSON and not empty. */
export function elementTexts(array: string): string[] {
  const texts: string[] = [];
  let [from, depth, quoted] = [0, 0, false];
  for (let index = 0; index < array.length; index++) {
    const character = array[index] as string;
    if (quoted) {
      if (character === "\\") index++;
      else quoted = character !== '"';
      continue;
    }
    if (character === '"') quoted = true;
    else if ("[{".includes(character)) depth++;
    else if ("]}".includes(character)) depth--;
    if (depth === 1 && from === 0) from = index + 1;
    else if (depth === 0 || (depth === 1 && character === ",")) {
      texts.push(array.slice(from, index).trim());
      from = index + 1;
    }
  }
  return texts;
}
