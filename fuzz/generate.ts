/** Files such as could lie in the bucket: of every container and encoding, whole or broken in every way. Seeded. */
import { gzipSync } from "node:zlib";

export interface FuzzFile {
  readonly key: string;
  readonly content: Buffer;
  /** Ids of the events that must come to be in the warehouse: of a file that nothing was done to, all of them. */
  readonly ids: readonly string[];
  /** What was done, for a reader of a failure. */
  readonly made: string;
}

/** @returns numbers in [0, 1), the same for the same seed (mulberry32) */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Generator {
  readonly #random: () => number;
  #made: string[] = [];

  constructor(
    private readonly seed: number,
    private readonly number: number,
  ) {
    this.#random = randomOf(Math.imul(seed, 0x9e3779b1) ^ number);
  }

  file(): FuzzFile {
    const ids: string[] = [];
    const isWhole = this.#chance(0.4);
    const events = Array.from({ length: this.#size() }, (_, index) => this.#event(index, ids, isWhole));
    const text = this.#pick(CONTAINERS)(events);
    let content: Buffer = this.#encode(text, isWhole);
    if (!isWhole) content = this.#break(content);
    const hour = String(this.#below(24)).padStart(2, "0");
    const folder = this.#chance(0.3) ? "events/2025/12/06" : `events/2025/12/06/${hour}`;
    const key = `${folder}/${this.seed}-${String(this.number).padStart(7, "0")}`;
    return { key, content, ids: isWhole ? ids : [], made: this.#made.join(", ") || "whole" };
  }

  #below = (limit: number): number => Math.floor(this.#random() * limit);
  #chance = (probability: number): boolean => this.#random() < probability;
  #pick = <T>(choices: readonly T[]): T => choices[this.#below(choices.length)] as T;
  /** Most are small, a few are not. */
  #size = (): number => (this.#chance(0.01) ? this.#below(3000) : this.#below(this.#chance(0.3) ? 40 : 4));

  #event(index: number, ids: string[], isWhole: boolean): string {
    const id = `${hex(this.seed)}-0000-4000-8000-${hex(this.number)}${hex(index).slice(4)}`;
    if (!isWhole && this.#chance(0.3)) return this.#oddity();
    ids.push(id);
    const time = new Date(Date.UTC(2025, 11, 6) + this.#below(86_400_000)).toISOString();
    const fields = [
      `"eventName":${JSON.stringify(this.#pick(["click", "page_view", "product_view", "xin chào"]))}`,
      `"eventId":"${id}"`,
      `"userId":${this.#value()}`,
      `"sessionId":"s-${this.#below(1000)}"`,
      `"isFirstVisit":${this.#pick(["true", "false", "null", '"true"', "7"])}`,
      `"product":{"id":${this.#value()},"price":${this.#number()},"name":${this.#text()}}`,
      `"_ingest":{"receivedAt":"${time}"}`,
      `"more":${this.#value()}`,
    ];
    return `{${this.#chance(0.5) ? fields.join(",") : fields.reverse().join(", ")}}`;
  }

  #value = (): string =>
    this.#pick([() => "null", () => "[]", () => "{}", () => "true", this.#number, this.#text])();

  #number = (): string =>
    this.#pick([
      () => String(this.#below(100_000_000)),
      () => "1733461200000123456",
      () => "1e400",
      () => "-0.50",
      () => `${this.#pick(["1", "9"])}${"0".repeat(this.#below(500))}.${"7".repeat(1 + this.#below(50))}`,
      () => `${this.#below(10)}e${this.#pick(["-", "", "+"])}${this.#below(400)}`,
    ])();

  #text = (): string =>
    JSON.stringify(
      this.#pick([
        "",
        "Tai nghe",
        "\u0000a",
        "\ud800",
        "🛒",
        "\\N\t\n",
        "x".repeat(this.#below(9000)),
        "\u0001\u2028",
      ]),
    );

  /** What stands where an event should. */
  #oddity = (): string =>
    this.#pick([
      () => this.#value(),
      () => '{"eventName":""}',
      () => '{"eventName":7,"__proto__":{"eventName":"x"}}',
      () => `{"eventName":"a","deep":${"[".repeat(this.#below(200))}`,
      () => `{"eventName":"a","deep":${'{"a":'.repeat(70)}1${"}".repeat(70)}}`,
      () => "[".repeat(this.#below(3000)),
      () =>
        Array(this.#below(3000))
          .fill("1")
          .join(this.#pick([" ", ",", "\n", ""])),
      () => `{${Array.from({ length: this.#below(800) }, (_, n) => `"k${n}":${n}`).join(",")}}`,
      () => "nul",
      () => '{"eventName":"a"',
      () => "}",
      () => '"',
      () => `{"eventName":"a","big":"${"y".repeat(this.#chance(0.02) ? 1_100_000 : 10)}"}`,
    ])();

  #encode(text: string, isWhole: boolean): Buffer {
    let bytes = Buffer.from(this.#chance(0.1) ? `\ufeff${text}` : text);
    if (!isWhole && this.#chance(0.05)) bytes = Buffer.from(text, this.#pick(["utf16le", "latin1"] as const));
    if (!this.#chance(0.35)) return bytes;
    const members = this.#chance(0.3) ? 1 + this.#below(20) : 1;
    const length = Math.max(1, Math.ceil(bytes.length / members));
    const parts: Buffer[] = [];
    for (let from = 0; from < Math.max(1, bytes.length); from += length)
      parts.push(gzipSync(bytes.subarray(from, from + length), { level: this.#pick([0, 1, 9]) }));
    if (this.#chance(0.1)) parts.push(Buffer.alloc(this.#below(1000)));
    return Buffer.concat(parts);
  }

  #break(content: Buffer): Buffer {
    let broken = content;
    for (let times = 1 + this.#below(3); times > 0; times--) {
      const [what, change] = this.#pick(MUTATIONS);
      this.#made.push(what);
      broken = Buffer.from(change(broken, this.#below));
      if (broken.length > 4_000_000) break;
    }
    if (this.#chance(0.003)) {
      this.#made.push("gzip bomb");
      return gzipSync(this.#pick(["1\n", "{}\n", "[", "[1,", "x", '{"a":'] as const).repeat(700_000), {
        level: 1,
      });
    }
    return broken;
  }
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");

/** How events lie in a file. */
const CONTAINERS: readonly ((events: readonly string[]) => string)[] = [
  (events) => events.map((event) => `${event}\n`).join(""),
  (events) => events.join("\r\n"),
  (events) => `[${events.join(",")}]`,
  (events) => `[\n  ${events.join(",\n  ")}\n]\n`,
  (events) => events.join(""),
  (events) => events.join("\n\n  "),
];

type Below = (limit: number) => number;

const MUTATIONS: readonly [string, (bytes: Buffer, below: Below) => Uint8Array][] = [
  ["as it is", (bytes) => bytes],
  ["cut off", (bytes, below) => bytes.subarray(0, below(bytes.length + 1))],
  ["beginning cut off", (bytes, below) => bytes.subarray(below(bytes.length + 1))],
  [
    "a bit turned",
    (bytes, below) => {
      const changed = Buffer.from(bytes);
      const at = below(bytes.length || 1);
      if (bytes.length > 0) changed[at] = (changed[at] as number) ^ (1 << below(8));
      return changed;
    },
  ],
  [
    "bytes put in",
    (bytes, below) => {
      const at = below(bytes.length + 1);
      const odd = Buffer.from([0, 0xff, 0x1f, 0x8b, 0xef, 0xbb, 0xbf, 0x22, 0x5b, 0x7d, 0x0a, 0x5c]);
      return Buffer.concat([bytes.subarray(0, at), odd.subarray(below(6), 6 + below(6)), bytes.subarray(at)]);
    },
  ],
  ["garbage behind", (bytes, below) => Buffer.concat([bytes, Buffer.from("garbage\n".repeat(below(50)))])],
  ["garbage before", (bytes, below) => Buffer.concat([Buffer.from(`${"z".repeat(below(300))}\n`), bytes])],
  ["twice", (bytes) => Buffer.concat([bytes, bytes])],
  ["gzip once more", (bytes) => gzipSync(bytes)],
  ["a line repeated", (bytes, below) => Buffer.concat([bytes, Buffer.from("\n{}".repeat(below(5000)))])],
  [
    "a piece removed",
    (bytes, below) =>
      Buffer.concat([bytes.subarray(0, below(bytes.length + 1)), bytes.subarray(below(bytes.length + 1))]),
  ],
];
