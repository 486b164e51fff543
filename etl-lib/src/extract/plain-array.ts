import { isUtf8 } from "node:buffer";
import { MAX_DEPTH, MAX_EVENT_BYTES, MAX_PIECE_CHARS } from "../limits.js";
import { ByteEnd } from "./byte-end.js";
import { InvalidGzipError } from "./decode.js";
import { type Draft, parseRecord } from "./draft.js";
import { PATIENCE, type TakeEvent } from "./plain-lines.js";
import { type RawRecord, Slices } from "./records.js";
import { ValueFramer } from "./value-framer.js";
import { skipSpace } from "./white-space.js";

const NOTHING = new Uint8Array();
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const COMMA = 0x2c;

/** Whether an array of objects begins here. @param bytes an object's first ones, less a byte-order mark */
export function startsArray(bytes: Uint8Array): boolean {
  const at = skipSpace(bytes, 0, bytes.length);
  return bytes[at] === OPEN_BRACKET && bytes[skipSpace(bytes, at + 1, bytes.length)] === OPEN_BRACE;
}

/** Whether the object is one array, with nothing but white space around it. @param bytes less a byte-order mark */
export async function isArrayAlone(bytes: AsyncIterable<Uint8Array>): Promise<boolean> {
  const array = new ByteEnd();
  let [isBegun, isEnded] = [false, false];
  try {
    for await (const piece of bytes) {
      let at = isBegun && !isEnded ? 0 : skipSpace(piece, 0, piece.length);
      if (at === piece.length) continue;
      if (isEnded || (!isBegun && piece[at] !== OPEN_BRACKET)) return false;
      isBegun = true;
      at = array.find(piece, at);
      isEnded = at >= 0;
      if (isEnded && skipSpace(piece, at, piece.length) < piece.length) return false;
    }
  } catch (error) {
    if (!(error instanceof InvalidGzipError)) throw error;
    return false;
  }
  return isEnded;
}

/**
 * The records of an array that nobody took as an element, as `PlainLines` hands on those of lines. From the first element
 * on that is no JSON object, `ValueFramer` has the array.
 */
export class PlainArray {
  readonly #slices = new Slices();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #framer: ValueFramer | undefined;
  /** From behind the last element on. */
  #rest: Uint8Array = NOTHING;
  #isFirst = true;
  #refused = 0;

  constructor(private readonly take: TakeEvent) {}

  get pending(): string {
    return this.#framer?.pending ?? new TextDecoder().decode(this.#rest);
  }

  *feed(piece: Uint8Array): Generator<RawRecord[]> {
    for (let from = 0; from < piece.length; from += MAX_PIECE_CHARS) {
      const part = piece.subarray(from, from + MAX_PIECE_CHARS);
      if (this.#framer) yield* this.#frame(part);
      else yield* this.#elements(this.#rest.length > 0 ? Buffer.concat([this.#rest, part]) : part);
      yield* this.#slices.end();
      yield [];
    }
  }

  *end(): Generator<RawRecord[]> {
    if (!this.#framer) yield* this.#frame(this.#rest);
    yield* this.#slices.add(this.#framer?.feed(this.#decoder.decode()) ?? []);
    yield* this.#slices.add(this.#framer?.end() ?? []);
    yield* this.#slices.end();
  }

  /** The object ends here, with a record of why. */
  *fail(draft: Draft): Generator<RawRecord[]> {
    yield* this.#slices.add([draft]);
    yield* this.#slices.end();
  }

  *#elements(bytes: Uint8Array): Generator<RawRecord[]> {
    let from = 0;
    for (;;) {
      const at = this.#begin(bytes, from);
      if (at === bytes.length) break;
      if (bytes[at] !== OPEN_BRACE) return yield* this.#frame(bytes.subarray(from));
      const element = new ByteEnd();
      const end = element.find(bytes, at);
      if (end < 0) break;
      if (element.deepest > MAX_DEPTH || end - at > MAX_EVENT_BYTES)
        return yield* this.#frame(bytes.subarray(from));
      if (!(yield* this.#isRead(bytes, at, end))) return yield* this.#frame(bytes.subarray(from));
      from = end;
      this.#isFirst = false;
    }
    this.#rest = bytes.subarray(from);
    if (this.#rest.length > MAX_EVENT_BYTES / 4) yield* this.#frame(this.#rest);
  }

  /** Where an element should begin, behind the array's bracket or a comma; -1 without one. */
  #begin(bytes: Uint8Array, from: number): number {
    const at = skipSpace(bytes, from, bytes.length);
    if (at === bytes.length) return at;
    if (bytes[at] !== (this.#isFirst ? OPEN_BRACKET : COMMA)) return -1;
    return skipSpace(bytes, at + 1, bytes.length);
  }

  *#isRead(bytes: Uint8Array, at: number, end: number): Generator<RawRecord[], boolean> {
    const element = bytes.subarray(at, end);
    if (this.#refused < PATIENCE && isUtf8(element)) {
      yield* this.#slices.end(); // what was left to the parser before this one
      if (this.take(bytes, at, end)) {
        this.#refused = 0;
        this.#slices.skip();
        return true;
      }
      this.#refused++;
    }
    return yield* this.#isParsed(element);
  }

  *#isParsed(element: Uint8Array): Generator<RawRecord[], boolean> {
    const draft = parseRecord(new TextDecoder().decode(element));
    if (draft.reject) return false;
    yield* this.#slices.add([draft]);
    return true;
  }

  *#frame(bytes: Uint8Array): Generator<RawRecord[]> {
    if (!this.#framer) {
      this.#rest = NOTHING;
      this.#framer = new ValueFramer(true);
      if (!this.#isFirst) this.#framer.feed('[""'); // stands for the elements so far
    }
    yield* this.#slices.add(this.#framer.feed(this.#decoder.decode(bytes, { stream: true })));
  }
}
