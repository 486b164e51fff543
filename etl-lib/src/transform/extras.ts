import { NumberText } from "../extract/number-text.js";
import { MAX_EXTRAS_BYTES } from "../limits.js";
import { isJsonObject, type JsonObject } from "./fields.js";
import { isIpName, mayNameIp, networkOf } from "./ip-address.js";
import type { RepairLog } from "./repair.js";

const COLUMN = "extras";
/** What a member's JSON may have that is not simply taken over. */
const NUMBER = /[:[,]\s*-?\d|^-?\d/;
const ESCAPE = /\\u/;
/** What PostgreSQL makes of an exponent it writes out; a long one would make a gigabyte of a few bytes. */
const HUGE_NUMBER = /^.{101}|[eE][+-]?\d{3}/;

/** Makes the JSON of what is in no column, member by member, as long as it fits. */
export class Extras {
  readonly #groups = new Map<string, string[]>();
  #bytes = 2;

  /** @param exact the event with its numbers to the letter */
  constructor(
    private readonly keepIp: boolean,
    private readonly log: RepairLog,
  ) {}

  /**
   * @param group the member of the event that `source` is; "" for the event itself
   * @param exact the same with its numbers to the letter
   * @param isHeld whether a column says just what this member does
   */
  add(
    group: string,
    source: JsonObject,
    exact: () => JsonObject,
    isHeld: (key: string, value: unknown) => boolean,
  ): void {
    for (const key of Object.keys(source)) {
      const value = source[key];
      if (isHeld(key, value)) continue;
      const text = isIpName(key) ? this.#network(value) : this.#text(value, () => exact()[key]);
      if (text !== null) this.#keep(group, `${this.#string(key)}:${text}`);
    }
  }

  /** Null when nothing is left. */
  get json(): string | null {
    if (this.#groups.size === 0) return null;
    const own = this.#groups.get("") ?? [];
    const nested = [...this.#groups].filter(([group]) => group !== "");
    return `{${[...own, ...nested.map(([group, members]) => `"${group}":{${members.join(",")}}`)].join(",")}}`;
  }

  #keep(group: string, member: string): void {
    const members = this.#groups.get(group) ?? [];
    const around = members.length === 0 && group !== "" ? group.length + 6 : 1;
    const bytes = this.#bytes + Buffer.byteLength(member) + around;
    if (bytes > MAX_EXTRAS_BYTES) {
      this.log.add(COLUMN, "cut");
      return;
    }
    this.#bytes = bytes;
    members.push(member);
    this.#groups.set(group, members);
  }

  #text(value: unknown, exact: () => unknown): string {
    if (typeof value === "string") return this.#string(value);
    const text = JSON.stringify(value);
    if (NUMBER.test(text)) return this.#careful(exact());
    return ESCAPE.test(text) || mayNameIp(text) ? this.#careful(value) : text;
  }

  #network(address: unknown): string | null {
    const network = this.keepIp ? networkOf(address) : null;
    return network && JSON.stringify(network);
  }

  #careful(value: unknown): string {
    if (typeof value === "string") return this.#string(value);
    if (typeof value === "number") return this.#number(String(value));
    if (value instanceof NumberText) return this.#number(value.text);
    if (Array.isArray(value)) return `[${value.map((one) => this.#careful(one)).join(",")}]`;
    if (!isJsonObject(value)) return JSON.stringify(value);
    const members: string[] = [];
    for (const key of Object.keys(value)) {
      const text = isIpName(key) ? this.#network(value[key]) : this.#careful(value[key]);
      if (text !== null) members.push(`${this.#string(key)}:${text}`);
    }
    return `{${members.join(",")}}`;
  }

  #number(text: string): string {
    if (!HUGE_NUMBER.test(text)) return text;
    this.log.add(COLUMN, "converted_to_text");
    return JSON.stringify(text);
  }

  /** A text or key that jsonb can hold. */
  #string(text: string): string {
    const json = JSON.stringify(text);
    if (!ESCAPE.test(json)) return json;
    let repaired = text.replaceAll("\0", "");
    if (repaired.length < text.length) this.log.add(COLUMN, "nul_removed");
    if (!repaired.isWellFormed()) this.log.add(COLUMN, "surrogate_replaced");
    repaired = repaired.toWellFormed();
    return JSON.stringify(repaired);
  }
}
