import { MAX_EXTRAS_BYTES } from "../limits.js";
import { type Bytes, putInt32, putNull } from "../rows/row-fields.js";

/** The members of an event, or of one of its two objects, that are in no column. */
export const GROUP = { event: 0, product: 1, ingest: 2 } as const;
export type Group = (typeof GROUP)[keyof typeof GROUP];

const OPENINGS = ["{", '"product":{', '"_ingest":{'].map((text) => Buffer.from(text));
/** More pieces than that are left to the parser. */
const MAX_SLICES = 64;
/** What stands around the slices, at most. */
const AROUND = 64;
/** PostgreSQL's own version of its binary jsonb, which is text behind it. */
const JSONB_VERSION = 1;
/** From here on a copy by the platform is cheaper than a loop. */
const SHORT = 48;
const [COMMA, OPEN, CLOSE] = [0x2c, 0x7b, 0x7d];

/** What of an event's bytes is in no column: slices of members that stand side by side, and what is written instead of some. */
export class ExtrasSlices {
  readonly #group = new Uint8Array(MAX_SLICES);
  readonly #from = new Int32Array(MAX_SLICES);
  readonly #to = new Int32Array(MAX_SLICES);
  readonly #instead: (Buffer | undefined)[] = [];
  #count = 0;
  #size = 0;

  clear(): void {
    this.#count = 0;
    this.#size = 0;
  }

  /** Whether they are few and small enough. */
  get fits(): boolean {
    return this.#count <= MAX_SLICES && this.#size + this.#count + AROUND <= MAX_EXTRAS_BYTES;
  }

  /** @param isNext it follows the slice added last, with a comma between */
  add(group: Group, from: number, to: number, isNext: boolean): void {
    const last = this.#count - 1;
    if (isNext && this.#group[last] === group && this.#instead[last] === undefined) {
      this.#size += to - (this.#to[last] as number);
      this.#to[last] = to;
      return;
    }
    this.#push(group, from, to, undefined);
  }

  addInstead(group: Group, member: Buffer): void {
    this.#push(group, 0, member.length, member);
  }

  #push(group: Group, from: number, to: number, instead: Buffer | undefined): void {
    const index = this.#count++;
    if (index >= MAX_SLICES) return;
    this.#group[index] = group;
    this.#from[index] = from;
    this.#to[index] = to;
    this.#instead[index] = instead;
    this.#size += to - from;
  }

  /** The most that `put` writes. */
  get room(): number {
    return this.#size + this.#count + AROUND;
  }

  /** Writes them as a field of jsonb. */
  put(out: Bytes, at: number, bytes: Uint8Array): number {
    if (this.#count === 0) return putNull(out, at);
    const begin = at + 4;
    out[begin] = JSONB_VERSION;
    out[begin + 1] = OPEN;
    let end = this.#putGroup(out, begin + 2, bytes, GROUP.event);
    for (const group of [GROUP.product, GROUP.ingest]) {
      if (!this.#group.subarray(0, this.#count).includes(group)) continue;
      if (end > begin + 2) out[end++] = COMMA;
      end = copy(out, end, OPENINGS[group] as Buffer, 0, (OPENINGS[group] as Buffer).length);
      end = this.#putGroup(out, end, bytes, group);
      out[end++] = CLOSE;
    }
    out[end++] = CLOSE;
    putInt32(out, at, end - begin);
    return end;
  }

  #putGroup(out: Bytes, from: number, bytes: Uint8Array, group: Group): number {
    let at = from;
    for (let index = 0; index < this.#count; index++) {
      if (this.#group[index] !== group) continue;
      if (at > from) out[at++] = COMMA;
      const source = this.#instead[index] ?? bytes;
      at = copy(out, at, source, this.#from[index] as number, this.#to[index] as number);
    }
    return at;
  }
}

/** @returns the place behind what was copied */
export function copy(out: Bytes, at: number, bytes: Uint8Array, from: number, to: number): number {
  if (to - from > SHORT) {
    out.set(bytes.subarray(from, to), at);
    return at + to - from;
  }
  let end = at;
  for (let index = from; index < to; index++) out[end++] = bytes[index] as number;
  return end;
}
