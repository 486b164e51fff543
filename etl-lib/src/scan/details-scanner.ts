import type { CopyBuffer } from "../rows/copy-buffer.js";
import { putHead } from "../rows/copy-details.js";
import { type Bytes, putBoolean, putInt32, putNull, putText } from "../rows/row-fields.js";
import { campaign, type DetailsOptions } from "../transform/details.js";
import { networkOf } from "../transform/ip-address.js";
import { type Campaign, hostOf, NO_CAMPAIGN } from "../transform/page-address.js";
import { RepairLog } from "../transform/repair.js";
import { agentOf, Memory } from "../transform/user-agent.js";
import { copy, ExtrasSlices, type Group } from "./extras-slices.js";
import { namesIp } from "./ip-names.js";

/** A string's text in the event's bytes; `to` is -1 where there is none. */
export interface Span {
  from: number;
  to: number;
}

/** Where a member stands in the event's bytes: its key from quote to quote, its value. */
interface MemberBytes {
  readonly key: number;
  readonly keyEnd: number;
  readonly value: number;
  readonly end: number;
}

/** Lengths, and the longest of what is remembered. */
const FIXED_BYTES = 512;
/** An origin is not looked for behind that. */
const MAX_ORIGIN_BYTES = 2_000;
const [QUESTION, HASH, SLASH, COLON, BACKSLASH] = [0x3f, 0x23, 0x2f, 0x3a, 0x5c] as const;
const UTM = Buffer.from("utm_");

/** The fields of a user agent, and of a referrer's host: as they are written, for those that come again and again. */
const agents = new Memory((text) => {
  const { device, browser, os, isBot } = agentOf(text);
  return encoded((out, at) =>
    putBoolean(
      out,
      [device, browser, os].reduce((to, name) => nullOrText(out, to, name), at),
      isBot,
    ),
  );
}, 2_000);
const hosts = new Memory((origin) => encoded((out, at) => nullOrText(out, at, hostOf(origin))), 2_000);

function encoded(put: (out: Bytes, at: number) => number): Buffer {
  const out = Buffer.alloc(FIXED_BYTES);
  return out.subarray(0, put(out, 0));
}

const nullOrText = (out: Bytes, at: number, text: string | null): number =>
  text === null ? putNull(out, at) : putText(out, at, text);

const NO_AGENT = encoded((out, at) => putNull(out, putNull(out, putNull(out, putNull(out, at)))));
const NO_HOST = encoded(putNull);

/** The details of the event that an `EventScanner` reads, from its bytes as well. */
export class DetailsScanner {
  readonly page: Span = { from: 0, to: -1 };
  readonly referrer: Span = { from: 0, to: -1 };
  readonly agent: Span = { from: 0, to: -1 };
  readonly extras = new ExtrasSlices();
  #bytes: Buffer = Buffer.alloc(0);
  #campaign: Campaign = NO_CAMPAIGN;

  constructor(private readonly options: DetailsOptions) {}

  begin(bytes: Uint8Array): void {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const span of [this.page, this.referrer, this.agent]) span.to = -1;
    this.extras.clear();
  }

  /** Whether the event is for this way, now that all of it is known. */
  end(): boolean {
    if (!this.extras.fits) return false;
    this.#campaign = NO_CAMPAIGN;
    const { from, to } = this.page;
    if (to < 0) return true;
    const query = this.#bytes.subarray(from, to).indexOf(QUESTION);
    if (query < 0 || this.#bytes.subarray(from + query, to).indexOf(UTM) < 0) return true;
    const log = new RepairLog();
    this.#campaign = campaign(this.#text(from, to), log);
    return Object.keys(log.warnings).length === 0;
  }

  /**
   * Keeps a member that is in no column.
   * @param isNext it stands behind the one that was kept last
   * @returns whether it was
   */
  addMember(group: Group, { key, keyEnd, value, end }: MemberBytes, isNext: boolean): boolean {
    if (!namesIp(this.#bytes, key + 1, keyEnd)) {
      this.extras.add(group, key, end, isNext);
      return true;
    }
    const network = this.options.keepIp ? networkOf(JSON.parse(this.#text(value, end))) : null;
    const member = `${this.#text(key, keyEnd + 1)}:${JSON.stringify(network)}`;
    if (network !== null) this.extras.addInstead(group, Buffer.from(member));
    return false;
  }

  /** Adds the details of the event that was scanned last, whose row is the last one of `rows`. */
  write(buffer: CopyBuffer, rows: CopyBuffer): void {
    const { utm_source, utm_medium, utm_campaign } = this.#campaign;
    const texts = [utm_source, utm_medium, utm_campaign];
    const campaignRoom = texts.reduce((sum, text) => sum + 3 * (text?.length ?? 0), 0);
    const spans = this.page.to - this.page.from + this.referrer.to - this.referrer.from;
    let at = putHead(buffer, rows, 2 * FIXED_BYTES + spans + campaignRoom + this.extras.room);
    const out = buffer.bytes;
    at = this.#putSpan(out, at, this.page);
    at = this.#putSpan(out, at, this.referrer);
    at = put(out, at, this.#host());
    for (const text of texts) at = nullOrText(out, at, text);
    at = put(out, at, this.#agent());
    buffer.push(this.extras.put(out, at, this.#bytes));
  }

  #putSpan(out: Bytes, at: number, { from, to }: Span): number {
    return to < 0 ? putNull(out, at) : copy(out, putInt32(out, at, to - from), this.#bytes, from, to);
  }

  #agent(): Buffer {
    const { from, to } = this.agent;
    if (to <= from) return NO_AGENT;
    const text = this.#text(from, to);
    if (!this.#bytes.subarray(from, to).includes(BACKSLASH)) return agents.get(text);
    return agents.get(JSON.parse(`"${text}"`));
  }

  #host(): Buffer {
    const { from, to } = this.referrer;
    const end = to < 0 ? -1 : originEnd(this.#bytes, from, Math.min(to, from + MAX_ORIGIN_BYTES));
    return end < 0 ? NO_HOST : hosts.get(this.#text(from, end));
  }

  #text(from: number, to: number): string {
    return this.#bytes.toString("utf8", from, to);
  }
}

const put = (out: Bytes, at: number, field: Buffer): number => copy(out, at, field, 0, field.length);

/** Behind scheme and host; -1 where there is no such thing. */
function originEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== COLON) at++;
  if (bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH || at + 2 >= to) return -1;
  at += 3;
  while (at < to && bytes[at] !== SLASH && bytes[at] !== QUESTION && bytes[at] !== HASH) at++;
  return at;
}
