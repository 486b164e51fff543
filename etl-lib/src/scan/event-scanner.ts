import { skipSpace } from "../extract/white-space.js";
import { MAX_EVENT_BYTES, MAX_TEXT_LENGTH } from "../limits.js";
import type { RowBuffer } from "../rows/row-buffer.js";
import {
  type Bytes,
  putBoolean,
  putDecimal,
  putInt16,
  putInt32,
  putNull,
  putTimestamp,
} from "../rows/row-fields.js";
import { EARLIEST, LATEST_AFTER_OBJECT } from "../transform/event-timestamp.js";
import { EVENT_COLUMNS } from "../types.js";
import type { DetailsScanner, Span } from "./details-scanner.js";
import { GROUP, type Group } from "./extras-slices.js";
import { decimalsOf, putDerivedId, putUuidText, timeOf, unscaledOf } from "./field-bytes.js";
import { plainStringEnd, skipDigits, skipValue } from "./json-bytes.js";
import {
  EVENT_MEMBERS,
  INGEST_MEMBERS,
  type Member,
  type Members,
  memberOf,
  PRODUCT_MEMBERS,
  READ,
  SLOTS,
} from "./members.js";

const QUOTE = 0x22;
const NULL = 0x6e;
const TRUE = 0x74;
const FALSE = 0x66;
const OPEN = 0x7b;

const [ID, TIME, NAME] = [0, 1, 2];
const FIRST_VISIT = EVENT_COLUMNS.indexOf("is_first_visit");
const PRICES = [
  EVENT_COLUMNS.indexOf("context_product_price"),
  EVENT_COLUMNS.indexOf("context_product_discount_price"),
];
/** Each column's length, and the most that its value can take. */
const MOST_ROW_BYTES = 2 + EVENT_COLUMNS.length * (4 + MAX_TEXT_LENGTH);

/**
 * The fast way of an event: from its bytes straight to its row, with no text, no object and no garbage made of what no
 * column needs. It takes an event only where that is plain to see: valid JSON with the publisher's own keys, each once,
 * values of their own type, no escape in what is kept. Everything else (every repair, every reject, another name of a
 * field) is left to the parser and `transformEvent`, and what is taken becomes the same row there, byte for byte.
 */
export class EventScanner {
  #bytes: Uint8Array = new Uint8Array();
  #end = 0;
  /** Where each column's value is; `#to` is -1 when it is null. Of a boolean the value itself, of a price its digits and decimals. */
  readonly #from = new Float64Array(SLOTS);
  readonly #to = new Int32Array(SLOTS);
  /** Of the id, when it is one. */
  readonly #uuid = Buffer.alloc(16);
  #hasUuid = false;
  /** A bit for each slot that had its member. */
  #seen = 0;

  /** @param details reads what no column has, too; null: that is passed over */
  constructor(readonly details: DetailsScanner | null = null) {}

  /**
   * @param bytes valid UTF-8; the event, and white space behind it, is all there is in [at, end)
   * @returns whether it is for this way: `write` then makes its row
   */
  scan(bytes: Uint8Array, at: number, end: number, lastModified: Date): boolean {
    this.#bytes = bytes;
    this.#end = end;
    this.#seen = 0;
    this.#to.fill(-1);
    this.details?.begin(bytes);
    if (bytes[at] !== OPEN || end - at > MAX_EVENT_BYTES) return false;
    const behind = this.#members(at + 1, EVENT_MEMBERS, GROUP.event);
    if (behind < 0 || skipSpace(bytes, behind, end) !== end) return false;
    const isWhole = this.#to[ID] !== -1 && this.#to[TIME] !== -1 && this.#to[NAME] !== -1;
    const isTimely = this.time >= EARLIEST && this.time <= lastModified.getTime() + LATEST_AFTER_OBJECT;
    return isWhole && isTimely && (this.details?.end() ?? true);
  }

  /** Of the event scanned last, in milliseconds since 1970. */
  get time(): number {
    return this.#from[TIME] as number;
  }

  /** Of the event scanned last. */
  get name(): string {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset).toString(
      "utf8",
      this.#from[NAME],
      this.#to[NAME],
    );
  }

  /** Writes the row of the event scanned last behind those of `rows`. @returns its end */
  write(rows: RowBuffer): number {
    let at = rows.reserve(MOST_ROW_BYTES);
    const out = rows.bytes;
    at = putInt32(out, putInt16(out, at, EVENT_COLUMNS.length), 16);
    if (this.#hasUuid) this.#uuid.copy(out, at);
    else putDerivedId(out, at, this.#bytes.subarray(this.#from[ID] as number, this.#to[ID]));
    at = putTimestamp(out, at + 16, this.time);
    for (let slot = NAME as number; slot < EVENT_COLUMNS.length; slot++) at = this.#put(out, at, slot);
    return at;
  }

  #put(out: Bytes, at: number, slot: number): number {
    const to = this.#to[slot] as number;
    if (to < 0) return putNull(out, at);
    const from = this.#from[slot] as number;
    if (slot === FIRST_VISIT) return putBoolean(out, at, from === 1);
    if (slot === PRICES[0] || slot === PRICES[1]) return putDecimal(out, at, from, to);
    const bytes = this.#bytes;
    let end = putInt32(out, at, to - from);
    for (let index = from; index < to; index++) out[end++] = bytes[index] as number;
    return end;
  }

  /** The members of an object, from behind its brace. @returns the place behind its end, or -1 */
  #members(from: number, members: Members, group: Group): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = skipSpace(bytes, from, end);
    if (bytes[at] === 0x7d) return at + 1;
    for (let wasExtra = false; ; ) {
      if (at >= end || bytes[at] !== QUOTE) return -1;
      const key = at;
      const keyEnd = plainStringEnd(bytes, at + 1, end);
      if (keyEnd < 0) return -1;
      const member = memberOf(members, bytes, key + 1, keyEnd);
      at = skipSpace(bytes, keyEnd + 1, end);
      if (bytes[at] !== 0x3a) return -1;
      at = skipSpace(bytes, at + 1, end);
      if (at >= end) return -1;
      const value = at;
      at = member ? this.#value(at, member) : skipValue(bytes, at, end);
      if (at < 0) return -1;
      wasExtra =
        this.details !== null &&
        (member === undefined || this.#isExtra(member)) &&
        this.details.addMember(group, { key, keyEnd, value, end: at }, wasExtra);
      at = skipSpace(bytes, at, end);
      if (at >= end) return -1;
      if (bytes[at] === 0x7d) return at + 1;
      if (bytes[at] !== 0x2c) return -1;
      at = skipSpace(bytes, at + 1, end);
    }
  }

  /** Whether what a member says is in no column as it is. */
  #isExtra({ read }: Member): boolean {
    return read === READ.agent || (read === READ.id && !this.#hasUuid);
  }

  #value(at: number, { read, slot }: Member): number {
    if (read === READ.refuse || (this.#seen & (1 << slot)) !== 0) return -1;
    this.#seen |= 1 << slot;
    const first = this.#bytes[at];
    if (first === NULL) return skipValue(this.#bytes, at, this.#end);
    if (read === READ.product || read === READ.ingest) {
      if (first !== OPEN) return -1;
      return read === READ.product
        ? this.#members(at + 1, PRODUCT_MEMBERS, GROUP.product)
        : this.#members(at + 1, INGEST_MEMBERS, GROUP.ingest);
    }
    if (read >= READ.page) return this.#detail(at, read);
    if (read === READ.boolean) return this.#boolean(at, slot);
    return read === READ.price ? this.#price(at, slot) : this.#string(at, slot, read);
  }

  #detail(at: number, read: Member["read"]): number {
    const { details } = this;
    if (!details) return skipValue(this.#bytes, at, this.#end);
    if (read === READ.agent) {
      const end = skipValue(this.#bytes, at, this.#end);
      if (this.#bytes[at] === QUOTE) setSpan(details.agent, at + 1, end - 1);
      return end;
    }
    if (this.#bytes[at] !== QUOTE) return -1;
    const to = plainStringEnd(this.#bytes, at + 1, this.#end);
    if (to < 0 || to - at > MAX_TEXT_LENGTH) return -1;
    setSpan(read === READ.page ? details.page : details.referrer, at + 1, to);
    return to + 1;
  }

  #string(at: number, slot: number, read: Member["read"]): number {
    if (this.#bytes[at] !== QUOTE) return -1;
    const from = at + 1;
    const to = plainStringEnd(this.#bytes, from, this.#end);
    if (to < 0 || to - from > MAX_TEXT_LENGTH || (to === from && (read === READ.name || read === READ.id)))
      return -1;
    if (read === READ.id) this.#hasUuid = putUuidText(this.#uuid, 0, this.#bytes, from, to);
    this.#from[slot] = read === READ.time ? timeOf(this.#bytes, from, to) : from;
    this.#to[slot] = to;
    return to + 1;
  }

  #boolean(at: number, slot: number): number {
    const first = this.#bytes[at];
    if (first !== TRUE && first !== FALSE) return -1;
    this.#from[slot] = first === TRUE ? 1 : 0;
    this.#to[slot] = at;
    return skipValue(this.#bytes, at, this.#end);
  }

  #price(at: number, slot: number): number {
    const to = skipValue(this.#bytes, at, this.#end);
    const decimals = to < 0 ? -1 : decimalsOf(this.#bytes, at, to);
    if (decimals < 0) return -1;
    const last = decimals === 0 ? skipDigits(this.#bytes, at, to) : to;
    this.#from[slot] = unscaledOf(this.#bytes, at, last);
    this.#to[slot] = decimals;
    return to;
  }
}

function setSpan(span: Span, from: number, to: number): void {
  span.from = from;
  span.to = to;
}
