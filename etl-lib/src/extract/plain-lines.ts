import { isUtf8 } from "node:buffer";
import { MAX_EVENT_BYTES, MAX_PIECE_CHARS } from "../limits.js";
import type { Draft } from "./draft.js";
import { LineFramer } from "./line-framer.js";
import { type RawRecord, Slices } from "./records.js";

/**
 * Takes the line or element in bytes[at, end) as an event, or leaves it to be parsed.
 * @param bytes valid UTF-8
 */
export type TakeEvent = (bytes: Uint8Array, at: number, end: number) => boolean;

const LINE_FEED = 0x0a;
const NOTHING = new Uint8Array();
const OPEN_BRACE = 0x7b;
/** So many in a row that were not taken: the others of the object are not offered. */
export const PATIENCE = 100;

/** Offers an object at hand that is one line. */
export const takesWhole = (bytes: Uint8Array, take: TakeEvent): boolean =>
  bytes[0] === OPEN_BRACE && isUtf8(bytes) && take(bytes, 0, bytes.length);

/**
 * Whether the first line is a JSON object by itself, which is how `isNdjson` tells NDJSON.
 * @param bytes an object's first ones, less a byte-order mark
 */
export function startsNdjson(bytes: Uint8Array): boolean {
  if (bytes[0] !== OPEN_BRACE) return false;
  const end = bytes.indexOf(LINE_FEED);
  if (end < 0 || end > MAX_EVENT_BYTES) return false;
  try {
    JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
    return true;
  } catch {
    return false;
  }
}

/**
 * The records of NDJSON that nobody took as a line: each slice comes at its place between the lines that were taken,
 * and an empty one every now and then for whoever counts those.
 */
export class PlainLines {
  readonly #slices = new Slices();
  readonly #framer = new LineFramer();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The beginning of a line that has not ended; of a very long one, nothing: the framer has it. */
  #rest: Uint8Array = NOTHING;
  #isFramed = false;
  #isValid = true;
  #refused = 0;

  constructor(private readonly take: TakeEvent) {}

  /** The text of a line that has not ended. */
  get pending(): string {
    return this.#isFramed ? this.#framer.pending : new TextDecoder().decode(this.#rest);
  }

  *feed(piece: Uint8Array): Generator<RawRecord[]> {
    for (let from = 0; from < piece.length; from += MAX_PIECE_CHARS)
      yield* this.#feed(piece.subarray(from, from + MAX_PIECE_CHARS));
  }

  *end(): Generator<RawRecord[]> {
    const rest = this.#rest;
    this.#isValid = isUtf8(rest);
    if (rest.length > 0 && !this.#isTaken(rest, 0, rest.length)) yield* this.#frame(rest);
    yield* this.#slices.add(this.#framer.feed(this.#decoder.decode()));
    yield* this.#slices.add(this.#framer.end());
    yield* this.#slices.end();
  }

  /** The object ends here, with a record of why. */
  *fail(draft: Draft): Generator<RawRecord[]> {
    yield* this.#slices.add([draft]);
    yield* this.#slices.end();
  }

  *#feed(piece: Uint8Array): Generator<RawRecord[]> {
    const first = this.#rest.length > 0 ? piece.indexOf(LINE_FEED) + 1 : 0;
    if (first > 0) yield* this.#lines(Buffer.concat([this.#rest, piece.subarray(0, first)]));
    const end = piece.lastIndexOf(LINE_FEED) + 1;
    yield* this.#lines(piece.subarray(first, end));
    yield* this.#keep(piece.subarray(end));
    yield* this.#slices.end();
    yield [];
  }

  /** @param bytes whole lines */
  *#lines(bytes: Uint8Array): Generator<RawRecord[]> {
    this.#isValid = isUtf8(bytes);
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(LINE_FEED, at) + 1;
      if (!this.#slices.isEmpty && this.#offers) yield* this.#slices.end();
      if (!this.#isTaken(bytes, at, end)) yield* this.#frame(bytes.subarray(at, end));
      at = end;
    }
    if (bytes.length > 0) this.#rest = NOTHING;
  }

  get #offers(): boolean {
    return this.#isValid && !this.#isFramed && this.#refused < PATIENCE;
  }

  #isTaken(bytes: Uint8Array, at: number, end: number): boolean {
    if (!this.#offers) return false;
    if (!this.take(bytes, at, end)) {
      this.#refused++;
      return false;
    }
    this.#refused = 0;
    this.#slices.skip();
    return true;
  }

  /** The beginning of a line, until there is more of it. */
  *#keep(more: Uint8Array): Generator<RawRecord[]> {
    if (more.length === 0) return;
    const rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, more]) : more;
    if (this.#isFramed || rest.length > MAX_EVENT_BYTES / 4) yield* this.#frame(rest);
    else this.#rest = rest;
  }

  *#frame(bytes: Uint8Array): Generator<RawRecord[]> {
    this.#rest = NOTHING;
    this.#isFramed = bytes[bytes.length - 1] !== LINE_FEED;
    yield* this.#slices.add(this.#framer.feed(this.#decoder.decode(bytes, { stream: true })));
  }
}
