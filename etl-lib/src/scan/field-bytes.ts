import { createHash } from "node:crypto";
import type { Bytes } from "../rows/row-fields.js";
import { DAY } from "../times.js";
import { EVENT_ID_NAMESPACE } from "../transform/event-id.js";
import { skipDigits } from "./json-bytes.js";

const ZERO = 0x30;
const NINE = 0x39;
const HYPHEN = 0x2d;
const UUID_CHARS = 36;

/** Writes the 16 bytes of the UUID whose text begins at `at`. False when it is none. */
export function putUuidText(out: Bytes, to: number, bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at !== UUID_CHARS) return false;
  let index = at;
  for (let byte = 0; byte < 16; byte++) {
    if ((byte === 4 || byte === 6 || byte === 8 || byte === 10) && bytes[index++] !== HYPHEN) return false;
    const high = hex(bytes[index++] as number);
    const low = hex(bytes[index++] as number);
    if ((high | low) < 0) return false;
    out[to + byte] = (high << 4) | low;
  }
  return true;
}

function hex(byte: number): number {
  if (byte >= ZERO && byte <= NINE) return byte - ZERO;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** What the ingest function writes; a letter stands for a digit. */
const TIME = Buffer.from("dddd-dd-ddTdd:dd:dd.dddZ");
const DIGIT = 0x64;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Milliseconds since 1970 of a time such as 2026-11-24T11:04:31.007Z; NaN of any other text. */
export function timeOf(bytes: Uint8Array, at: number, end: number): number {
  if (end - at !== TIME.length) return Number.NaN;
  for (let index = 0; index < TIME.length; index++) {
    const byte = bytes[at + index] as number;
    if (TIME[index] === DIGIT ? byte < ZERO || byte > NINE : byte !== TIME[index]) return Number.NaN;
  }
  const [year, month, day] = [digits(bytes, at, 4), digits(bytes, at + 5, 2), digits(bytes, at + 8, 2)];
  const [hour, minute] = [digits(bytes, at + 11, 2), digits(bytes, at + 14, 2)];
  const second = digits(bytes, at + 17, 2);
  // 29 February is left to the parser.
  if (day < 1 || day > (MONTH_DAYS[month - 1] ?? 0) || hour > 23 || minute > 59 || second > 59)
    return Number.NaN;
  const time = ((hour * 60 + minute) * 60 + second) * 1000 + digits(bytes, at + 20, 3);
  return daysSince1970(year, month, day) * DAY + time;
}

function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index++) value = value * 10 + (bytes[index] as number) - ZERO;
  return value;
}

/** Source: https://howardhinnant.github.io/date_algorithms.html#days_from_civil */
function daysSince1970(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    shifted * 365 +
    Math.floor(shifted / 4) -
    Math.floor(shifted / 100) +
    Math.floor(shifted / 400) +
    dayOfYear -
    719_468
  );
}

/** More digits a double does not keep. */
const EXACT_DIGITS = 15;
const POINT = 0x2e;

/**
 * How many decimals a price has that is written in at most 15 digits, with or without a point; -1 for any other. Decimals
 * that are all zeros are none: to the parser 18.00 is the number 18, and 18.50 is its text.
 * @param bytes a JSON number in [at, end)
 */
export function decimalsOf(bytes: Uint8Array, at: number, end: number): number {
  const point = skipDigits(bytes, at, end);
  if (point === at || end - at > EXACT_DIGITS) return -1;
  if (point === end) return 0;
  if (bytes[point] !== POINT || skipDigits(bytes, point + 1, end) !== end) return -1;
  for (let index = point + 1; index < end; index++) if (bytes[index] !== ZERO) return end - point - 1;
  return 0;
}

/** The digits of a decimal as one whole number, its point passed over. */
export function unscaledOf(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let index = at; index < end; index++)
    if (bytes[index] !== POINT) value = value * 10 + (bytes[index] as number) - ZERO;
  return value;
}

const NAMESPACE = Buffer.from(EVENT_ID_NAMESPACE.replaceAll("-", ""), "hex");

/** Writes the 16 bytes of the UUIDv5 of an id that is no UUID. */
export function putDerivedId(out: Bytes, to: number, id: Uint8Array): void {
  createHash("sha1").update(NAMESPACE).update(id).digest().copy(out, to, 0, 16);
  out[to + 6] = ((out[to + 6] as number) & 0x0f) | 0x50;
  out[to + 8] = ((out[to + 8] as number) & 0x3f) | 0x80;
}
