import { jsonParser, type Token } from "stream-json/core/parser.js";
import { MAX_DEPTH, MAX_EVENT_BYTES, MAX_PIECE_CHARS, MAX_RAW_BYTES } from "../limits.js";
import { type Draft, parseRecord, rejectedAs, tooLarge } from "./draft.js";
import { ValueEnd } from "./value-end.js";

/** Strings and numbers come in pieces, so that a value of any length costs no memory. */
const newTokenizer = () =>
  jsonParser({ jsonStreaming: true, packValues: false }) as (text: string) => { values?: readonly Token[] };

interface Skip {
  /** What is made of the value's text at its end. */
  readonly toDraft: (raw: string) => Draft;
  readonly end: ValueEnd;
}

const tooDeep = (raw: string): Draft => rejectedAs("too_deep", `nested deeper than ${MAX_DEPTH} levels`, raw);

/** Where text is cut: a value ends on the last character of a piece, never within one. */
const CUT_WITHIN_VALUE = /[}\]]/g;
const CUT_BETWEEN_VALUES = /[\s,]+|["}\][]/g;

export function* inPieces(text: string): Generator<string> {
  for (let from = 0; from < text.length; from += MAX_PIECE_CHARS)
    yield text.slice(from, from + MAX_PIECE_CHARS);
}

const BLANK = /^[\s,]*$/;
/** Ends only where something else begins, which is in the same piece. */
const UNQUOTED = /^[\s,]*(?:true|false|null|-?\d[\d.eE+-]*)/;

/**
 * Cuts JSON values out of text, written one after another or as the elements of one array. stream-json finds where
 * they end; it drops the tokens of the piece in which it meets a fault, hence the cuts. What stands before a fault is
 * delivered, the rest is one `invalid_json`.
 */
export class ValueFramer {
  #tokenize = newTokenizer();
  #depth = 0;
  /** Depth at which a value is a record: 1 within the container, else 0. */
  #base = 0;
  #started = false;
  #raw = "";
  #size = 0;
  #skip: Skip | undefined;
  #fault: string | undefined;

  /** @param container whether a leading array is the container of the records instead of one of them. */
  constructor(private readonly container: boolean) {}

  get pending(): string {
    return this.#raw;
  }

  feed(text: string): Draft[] {
    const drafts: Draft[] = [];
    let from = 0;
    while (from < text.length && this.#fault === undefined)
      from = this.#skip ? this.#passOver(this.#skip, text, from, drafts) : this.#step(text, from, drafts);
    if (from < text.length) this.#keep(text.slice(from));
    return drafts;
  }

  /** What is left at the end of the text. */
  end(): Draft[] {
    if (this.#skip) return [this.#skip.toDraft(this.#raw)];
    const drafts: Draft[] = [];
    if (this.#fault === undefined) this.#consume("\n", drafts); // a number ends only where something follows
    if (this.#fault === undefined && (this.#depth > 0 || this.#raw.trim() !== ""))
      this.#fault = "the text ends within a value";
    if (this.#fault !== undefined) drafts.push(rejectedAs("invalid_json", this.#fault, this.#raw));
    return drafts;
  }

  #step(text: string, from: number, drafts: Draft[]): number {
    const within = this.#depth > this.#base;
    const cut = within ? CUT_WITHIN_VALUE : CUT_BETWEEN_VALUES;
    cut.lastIndex = from;
    const to = Math.min(cut.test(text) ? cut.lastIndex : text.length, from + MAX_PIECE_CHARS);
    if (within && this.#size + to - from > MAX_EVENT_BYTES) {
      this.#startSkip(tooLarge);
      return from;
    }
    const piece = text.slice(from, to);
    this.#keep(piece);
    this.#consume(piece, drafts);
    // What lies between two values is no part of the next one's size.
    if (this.#depth === this.#base && this.#fault === undefined && BLANK.test(this.#raw)) this.#forget();
    return to;
  }

  #consume(piece: string, drafts: Draft[]): void {
    try {
      for (const token of this.#tokenize(piece).values ?? []) this.#follow(token, drafts);
    } catch (error) {
      this.#fault = (error as Error).message;
    }
  }

  #follow(token: Token, drafts: Draft[]): void {
    if (this.#skip) return;
    switch (token.name) {
      case "startArray":
      case "startObject":
        this.#open(token.name === "startArray");
        break;
      case "endArray":
      case "endObject":
        this.#depth--;
        if (this.#depth < this.#base) this.#closeContainer();
        else if (this.#depth === this.#base) this.#complete(drafts);
        break;
      case "endString":
      case "endNumber":
      case "trueValue":
      case "falseValue":
      case "nullValue":
        if (this.#depth === this.#base) this.#complete(drafts);
    }
  }

  #open(isArray: boolean): void {
    this.#depth++;
    if (isArray && this.container && !this.#started) {
      this.#base = 1;
      this.#forget();
    }
    this.#started = true;
    if (this.#depth - this.#base > MAX_DEPTH) this.#startSkip(tooDeep);
  }

  #closeContainer(): void {
    this.#base = 0;
    this.#forget();
  }

  #complete(drafts: Draft[]): void {
    const end = UNQUOTED.exec(this.#raw)?.[0].length ?? this.#raw.length;
    const text = this.#raw.slice(0, end).replace(/^[\s,]+/, "");
    drafts.push(this.#size > MAX_EVENT_BYTES ? tooLarge(text) : parseRecord(text));
    this.#started = true;
    this.#raw = this.#raw.slice(end);
    this.#size = this.#raw.length;
  }

  /** From here on only the value's end matters; the tokenizer, which remembers all nesting, is left behind. */
  #startSkip(toDraft: Skip["toDraft"]): void {
    const end = new ValueEnd(0);
    end.find(this.#raw);
    this.#skip = { toDraft, end };
  }

  #passOver({ toDraft, end }: Skip, text: string, from: number, drafts: Draft[]): number {
    const to = end.find(text, from);
    this.#keep(text.slice(from, to < 0 ? text.length : to));
    if (to < 0) return text.length;
    drafts.push(toDraft(this.#raw.replace(/^[\s,]+/, "")));
    this.#resume();
    return to;
  }

  #resume(): void {
    this.#skip = undefined;
    this.#depth = this.#base;
    this.#tokenize = newTokenizer();
    if (this.#base === 1) this.#tokenize('[""'); // stands for the elements so far
    this.#forget();
  }

  /** Keeps a value's text as long as it may be an event, then only what quarantine keeps. */
  #keep(piece: string): void {
    this.#size += piece.length;
    if (this.#size <= MAX_EVENT_BYTES) this.#raw += piece;
    else if (this.#raw.length < MAX_RAW_BYTES) this.#raw += piece.slice(0, MAX_RAW_BYTES);
  }

  #forget(): void {
    this.#raw = "";
    this.#size = 0;
  }
}
