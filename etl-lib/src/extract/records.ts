import { isTooLarge, MAX_EVENT_BYTES, MAX_SLICE_RECORDS } from "../limits.js";
import { decodeText, InvalidGzipError, isGzip } from "./decode.js";
import { type Draft, parsed, rejectedAs } from "./draft.js";
import { LineFramer } from "./line-framer.js";
import { linesOf } from "./line-sketch.js";
import { ElementTexts, ValueEnd } from "./value-end.js";
import { inPieces, ValueFramer } from "./value-framer.js";

/** A record of an object: a parsed JSON value, or the reason why there is none. */
export type RawRecord = Draft & {
  /** 0-based index of the record in its object. */
  readonly position: number;
};

/** Cuts text into records. `pending` is the text of a record that has not ended yet. */
interface Framer {
  feed(text: string): Iterable<Draft>;
  end(): Iterable<Draft>;
  readonly pending: string;
}

/**
 * The records of one object, in order, in groups as they become readable: a single value, an array (its elements),
 * NDJSON, or values one after another; each possibly gzip-compressed, with a byte-order mark, with LF or CRLF.
 * Memory is bounded by the longest event, not by the object.
 * @param open opens the object's bytes; called again to look ahead in an array too large to hold
 */
export async function* extractRecords(
  open: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<RawRecord[], void, undefined> {
  const slices = new Slices();
  for await (const drafts of extractDrafts(open)) yield* slices.add(drafts);
  yield* slices.end();
}

/** The records of an object at hand that is valid as a whole and not compressed; undefined for any other. */
export function readSmall(bytes: Uint8Array): Iterable<RawRecord[]> | undefined {
  if (isGzip(bytes)) return undefined;
  const drafts = parseWhole(new TextDecoder().decode(bytes));
  return drafts && inSlices(drafts);
}

function* inSlices(drafts: Iterable<Draft>): Generator<RawRecord[]> {
  const slices = new Slices();
  yield* slices.add(drafts);
  yield* slices.end();
}

/** Pieces of text that a slice of records spans: an object of a few events is one slice. */
const MAX_SLICE_PIECES = 4;

/** Numbers records and groups them, so that neither many of them nor long ones are ever held together. */
export class Slices {
  #position = 0;
  #slice: RawRecord[] = [];
  #pieces = 0;

  /** @param drafts made of one piece of text */
  *add(drafts: Iterable<Draft>): Generator<RawRecord[]> {
    for (const draft of drafts) {
      this.#slice.push({ ...draft, position: this.#position++ });
      if (this.#slice.length >= MAX_SLICE_RECORDS) yield this.#take();
    }
    if (++this.#pieces >= MAX_SLICE_PIECES) yield* this.end();
  }

  /** Counts a record that is not among those of the slices; these are handed on first. */
  skip(): void {
    this.#position++;
  }

  get isEmpty(): boolean {
    return this.#slice.length === 0;
  }

  *end(): Generator<RawRecord[]> {
    if (this.#slice.length > 0) yield this.#take();
  }

  #take(): RawRecord[] {
    const slice = this.#slice;
    this.#slice = [];
    this.#pieces = 0;
    return slice;
  }
}

async function* extractDrafts(open: () => AsyncIterable<Uint8Array>): AsyncGenerator<Iterable<Draft>> {
  const texts = decodeText(open);
  const head = await readHead(texts);
  const whole = head.ended ? parseWhole(head.text) : undefined;
  if (whole) {
    yield whole;
    return;
  }
  try {
    const framer = await chooseFramer(head, open);
    for (const piece of inPieces(head.text)) yield framer.feed(piece);
    yield* readOn(framer, head, texts);
  } finally {
    await texts.return(undefined); // whoever reads may stop at any record
  }
}

async function chooseFramer(head: Head, open: () => AsyncIterable<Uint8Array>): Promise<Framer> {
  if (isNdjson(head) || (await isNdjsonFurtherOn(head, open))) return new LineFramer();
  const isArray = /^\s*\[/.test(head.text);
  return new ValueFramer(isArray && (await isArrayAlone(head.ended ? [head.text] : decodeText(open))));
}

async function* readOn(
  framer: Framer,
  head: Head,
  texts: AsyncIterable<string>,
): AsyncGenerator<Iterable<Draft>> {
  try {
    if (head.fault) throw head.fault;
    for await (const text of texts) for (const piece of inPieces(text)) yield framer.feed(piece);
  } catch (error) {
    if (!(error instanceof InvalidGzipError)) throw error;
    yield [rejectedAs("invalid_gzip", error.message, framer.pending)];
    return;
  }
  yield framer.end();
}

interface Head {
  readonly text: string;
  /** The text is the whole object. */
  readonly ended: boolean;
  readonly fault?: InvalidGzipError;
}

/** As much as one event may hold: enough to tell the layout, and all there is of most objects. */
async function readHead(texts: AsyncGenerator<string>): Promise<Head> {
  let text = "";
  try {
    while (text.length <= MAX_EVENT_BYTES) {
      const { value, done } = await texts.next();
      if (done) return { text, ended: true };
      text += value;
    }
    return { text, ended: false };
  } catch (error) {
    if (error instanceof InvalidGzipError) return { text, ended: false, fault: error };
    throw error;
  }
}

/** The fast way for a small object that is valid as a whole. */
function parseWhole(text: string): Iterable<Draft> | undefined {
  if (isTooLarge(text)) return undefined;
  const trimmed = text.trim();
  if (trimmed === "") return [];
  try {
    const value: unknown = JSON.parse(trimmed);
    if (!Array.isArray(value)) return [parsed(value, () => trimmed)];
    return elementsOf(value, trimmed);
  } catch {
    return undefined;
  }
}

function* elementsOf(array: readonly unknown[], text: string): Generator<Draft> {
  const texts = new ElementTexts(text);
  for (const [index, element] of array.entries()) yield parsed(element, () => texts.at(index));
}

/**
 * NDJSON is recognised by a line of its own that is a JSON object; an indented one belongs to a value printed over
 * several lines. An array printed so begins with a line that is not JSON.
 */
function isNdjson({ text, ended }: Head): boolean {
  const lines = text.split("\n");
  if (lines.length < 2) return false;
  if (!ended) lines.pop();
  if (/^\s*\[/.test(text) && !isJson(lines[0] as string)) return false;
  return lines.some((line) => line.startsWith("{") && isJson(line));
}

/**
 * The same behind the head, where no line of the head tells: its first line may be too large to see behind, or each of
 * its lines bad. Not where the head shows that values stand one behind the other, or an array printed over lines.
 */
async function isNdjsonFurtherOn(head: Head, open: () => AsyncIterable<Uint8Array>): Promise<boolean> {
  if (head.ended || head.fault) return false;
  const first = head.text.trimStart()[0];
  if (first === "{" && new ValueEnd(0).find(head.text) >= 0) return false;
  const [firstLine, ...others] = head.text.split("\n", 2);
  if (first === "[" && others.length > 0 && !isJson(firstLine as string)) return false;
  const lines = linesOf(decodeText(open));
  let isFirst = true;
  try {
    for await (const line of lines) {
      if (isFirst && first === "[" && !line.isBalanced) return false;
      isFirst &&= line.isBlank;
      if (line.text?.startsWith("{") && isJson(line.text)) return true;
    }
  } catch (error) {
    if (!(error instanceof InvalidGzipError)) throw error;
  } finally {
    await lines.return(undefined);
  }
  return false;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether no second value follows the array that the text begins with. */
async function isArrayAlone(texts: Iterable<string> | AsyncIterable<string>): Promise<boolean> {
  const end = new ValueEnd(0);
  let closed = false;
  let next = "";
  try {
    for await (const text of texts) {
      const from = closed ? 0 : end.find(text);
      if (from < 0) continue;
      closed = true;
      next = (next + text.slice(from)).trimStart();
      if (next.length >= "false".length) break;
    }
  } catch (error) {
    if (!(error instanceof InvalidGzipError)) throw error;
  }
  return !/^(?:[[{"\d-]|true|false|null)/.test(next);
}
