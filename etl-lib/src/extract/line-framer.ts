import { MAX_EVENT_BYTES, MAX_RAW_BYTES } from "../limits.js";
import { type Draft, parseRecord, tooLarge } from "./draft.js";
import { inPieces, ValueFramer } from "./value-framer.js";

/** White space around an event is no part of its size, up to this much of it. */
const MAX_LINE_CHARS = MAX_EVENT_BYTES + 64 * 1024;

/** NDJSON: a record a line. A bad line costs that line alone; one too long to be an event is passed over. */
export class LineFramer {
  #line = "";
  #tooLarge = false;

  get pending(): string {
    return this.#line;
  }

  *feed(text: string): Generator<Draft> {
    let from = 0;
    for (let to = text.indexOf("\n"); to >= 0; to = text.indexOf("\n", from)) {
      this.#take(text, from, to);
      yield* this.end();
      from = to + 1;
    }
    this.#take(text, from, text.length);
  }

  /** The last line has no line feed. */
  end(): Iterable<Draft> {
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

function readLine(line: string): Iterable<Draft> {
  if (line === "") return [];
  const draft = parseRecord(line);
  if (!draft.reject) return [draft];
  // Read twice rather than held: a line may hold half a million values.
  for (const value of valuesOf(line)) if (value.reject) return [draft];
  return valuesOf(line);
}

function* valuesOf(line: string): Generator<Draft> {
  const framer = new ValueFramer(false);
  for (const piece of inPieces(line)) yield* framer.feed(piece);
  yield* framer.end();
}
