import { gzipSync } from "fflate";
import type { GeneratedEvent } from "./dirt.js";
import type { Random } from "./random.js";

/** An object of the bucket. */
export interface SampleObject {
  readonly key: string;
  readonly body: Uint8Array;
  readonly lastModified: Date;
  /** It appeared hours or days after its key's time. */
  readonly isLate: boolean;
  /** In the order in which they stand in it. */
  readonly records: readonly GeneratedEvent[];
}

export type Wrapping = "plain" | "gzip" | "bom" | "crlf";
export type Format = "values" | "ndjson" | "array";

const HOUR = 3_600_000;
const BOM = "\uFEFF";

/** The records as one file of the format. In an array a record that is cut off is the last one. */
export function pack(records: readonly GeneratedEvent[], format: Format, wrapping: Wrapping): Uint8Array {
  const [first] = records;
  if (records.length === 1 && first && typeof first.content !== "string") return first.content;
  const text = join(records, format, wrapping === "crlf" ? "\r\n" : "\n");
  const bytes = Buffer.from(wrapping === "bom" ? BOM + text : text);
  // Not node's zlib, whose bytes differ from version to version.
  return wrapping === "gzip" ? gzipSync(bytes, { mtime: 0 }) : bytes;
}

function join(records: readonly GeneratedEvent[], format: Format, eol: string): string {
  const texts = records.map(({ content }) => content as string);
  switch (format) {
    case "values":
      return texts.join("") + (eol === "\r\n" ? eol : "");
    case "ndjson":
      return texts.map((text) => text + eol).join("");
    case "array":
      return `[${texts.join(`,${eol}`)}${isCutOff(records.at(-1)) ? "" : `]${eol}`}`;
  }
}

export function isCutOff(record: GeneratedEvent | undefined): boolean {
  return record?.expect === "invalid_json";
}

/** Mostly plain; `share` of the files are compressed, begin with a byte-order mark or have Windows line ends. */
export function chooseWrapping(random: Random, share: number): Wrapping {
  return random.chance(share) ? random.pick(["gzip", "gzip", "bom", "crlf"]) : "plain";
}

/** When the object appeared: soon after its last record or, for `lateShare` of them or with a `delay`, much later. */
export function arrival(
  random: Random,
  at: number,
  lateShare: number,
  delay: number,
): { lastModified: Date; isLate: boolean } {
  const isUnlucky = random.chance(lateShare);
  const wait = isUnlucky ? random.int(2, 72) * HOUR : random.int(1, 90) * 1000;
  const isLate = isUnlucky || delay > 0;
  // Whole seconds, as S3 tells them.
  return { lastModified: new Date(Math.floor((at + wait + delay) / 1000) * 1000), isLate };
}
