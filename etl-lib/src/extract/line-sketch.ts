import { isTooLarge } from "../limits.js";
import { ValueEnd } from "./value-end.js";

/** What there is to know of a line of any length. */
export interface Line {
  /** Undefined when it is too long to be an event. */
  readonly text: string | undefined;
  readonly isBlank: boolean;
  /** Every bracket that it opens it closes, and nothing stands behind the first value. */
  readonly isBalanced: boolean;
}

export async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<Line> {
  let line = new LineSketch();
  for await (const text of texts) {
    let from = 0;
    for (let to = text.indexOf("\n"); to >= 0; to = text.indexOf("\n", from)) {
      line.add(text.slice(from, to));
      yield line;
      line = new LineSketch();
      from = to + 1;
    }
    line.add(text.slice(from));
  }
  yield line;
}

class LineSketch implements Line {
  text: string | undefined = "";
  isBlank = true;
  readonly #end = new ValueEnd(0);
  #isClosed = false;
  #hasRest = false;

  get isBalanced(): boolean {
    return this.#isClosed && !this.#hasRest;
  }

  add(text: string): void {
    if (this.text !== undefined) this.text = isTooLarge(this.text + text) ? undefined : this.text + text;
    this.isBlank &&= text.trim() === "";
    const end = this.#isClosed ? 0 : this.#end.find(text);
    if (end < 0) return;
    this.#isClosed = true;
    this.#hasRest ||= text.slice(end).trim() !== "";
  }
}
