import { MAX_EVENT_BYTES, MAX_RAW_BYTES } from "../limits.js";
import { type Draft, parseRecord, tooLarge } from "./draft.js";
import { ValueFramer } from "./value-framer.js";

/** White space around an event is no part of its size, up to this much of it. */
const MAX_LINE_CHARS = MAX_EVENT_BYTES + 64 * 1024;

/** NDJSON: a record a line. A bad line costs that line alone; one too long to be an event is passed over. */
export class LineFramer {
  #line = "";
  #tooLarge = false;

  get pending(): string {
    return this.#line;
  }

  feed(text: string): Draft[] {
    const drafts: Draft[] = [];
    let from = 0;
    for (let to = text.indexOf("\n"); to >= 0; to = text.indexOf("\n", from)) {
      this.#take(text, from, to);
      drafts.push(...this.end());
      from = to + 1;
    }
    this.#take(text, from, text.length);
    return drafts;
  }

  /** The last line has no line feed. */
  end(): Draft[] {
    const line = this.#line;
    const isLong = this.#tooLarge;
    this.#line = "";
    this.#tooLarge = false;
    if (isLong) return [tooLarge(line)];
    return readLine(line.trim());
  }

  #take(text: string, from: number, to: number): void {
    if (this.#tooLarge) return;
    this.#line += text.slice(from, to);
    if (this.#line.length <= MAX_LINE_CHARS) return;
    this.#tooLarge = true;
    this.#line = this.#line.slice(0, MAX_RAW_BYTES);
  }
}

function readLine(line: string): Draft[] {
  if (line === "") return [];
  const draft = parseRecord(line);
  if (!draft.reject) return [draft];
  const several = new ValueFramer(false);
  const values = [...several.feed(line), ...several.end()];
  return values.every((value) => !value.reject) ? values : [draft];
}
