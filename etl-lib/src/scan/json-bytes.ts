import { skipSpace } from "../extract/white-space.js";
import { namesIp } from "./ip-names.js";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
/** Nesting that is not followed: the parser says what it is. */
const MAX_DEPTH = 48;
const LITERALS = ["true", "false", "null"].map((word) => Buffer.from(word));

/** The closing quote of a string without an escape whose text begins at `at`; -1 for any other. */
export function plainStringEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let index = at; index < end; index++) {
    const byte = bytes[index] as number;
    if (byte === QUOTE) return index;
    if (byte === BACKSLASH || byte < SPACE) return -1;
  }
  return -1;
}

/**
 * Behind a JSON value of any kind that begins at `at`, or -1 when there is none. What is valid here is valid for
 * JSON.parse, PostgreSQL takes it as it stands, and no member of
 * it holds an IP address; what is not may be.
 */
export function skipValue(bytes: Uint8Array, at: number, end: number, depth = 0): number {
  const byte = bytes[at] as number;
  if (byte === QUOTE) return skipString(bytes, at + 1, end);
  if (byte === 0x7b || byte === 0x5b) return depth < MAX_DEPTH ? skipNested(bytes, at, end, depth + 1) : -1;
  if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return skipNumber(bytes, at, end);
  for (const literal of LITERALS)
    if (byte === literal[0]) return isAt(bytes, at, end, literal) ? at + literal.length : -1;
  return -1;
}

export function isAt(bytes: Uint8Array, at: number, end: number, word: Uint8Array): boolean {
  if (at + word.length > end) return false;
  for (let index = 0; index < word.length; index++) if (bytes[at + index] !== word[index]) return false;
  return true;
}

/** @param at behind the opening quote */
function skipString(bytes: Uint8Array, at: number, end: number): number {
  for (let index = at; index < end; index++) {
    const byte = bytes[index] as number;
    if (byte === QUOTE) return index + 1;
    if (byte < SPACE) return -1;
    if (byte !== BACKSLASH) continue;
    index = skipEscape(bytes, index + 1, end);
    if (index < 0) return -1;
  }
  return -1;
}

/** The last byte of an escape, whose letter is at `at`. One by a code may be of what PostgreSQL cannot hold. */
const skipEscape = (bytes: Uint8Array, at: number, end: number): number =>
  at < end && '"\\/bfnrt'.includes(String.fromCharCode(bytes[at] as number)) ? at : -1;

/** PostgreSQL writes a number out, whatever its exponent: longer ones are left to the parser. */
const MAX_NUMBER = 100;
const MAX_EXPONENT_DIGITS = 2;

function skipNumber(bytes: Uint8Array, at: number, end: number): number {
  const to = numberEnd(bytes, at, end);
  return to - at > MAX_NUMBER ? -1 : to;
}

function numberEnd(bytes: Uint8Array, at: number, end: number): number {
  let index = bytes[at] === MINUS ? at + 1 : at;
  const whole = index;
  index = skipDigits(bytes, index, end);
  if (index === whole || (bytes[whole] === ZERO && index > whole + 1)) return -1;
  if (index < end && bytes[index] === 0x2e) {
    const fraction = index + 1;
    index = skipDigits(bytes, fraction, end);
    if (index === fraction) return -1;
  }
  if (index >= end || ((bytes[index] as number) | 0x20) !== 0x65) return index;
  index++;
  if (bytes[index] === MINUS || bytes[index] === 0x2b) index++;
  const exponent = index;
  index = skipDigits(bytes, exponent, end);
  return index === exponent || index - exponent > MAX_EXPONENT_DIGITS ? -1 : index;
}

export function skipDigits(bytes: Uint8Array, at: number, end: number): number {
  let index = at;
  while (index < end && (bytes[index] as number) >= ZERO && (bytes[index] as number) <= NINE) index++;
  return index;
}

/** Object or array. { and [, } and ] differ in one bit only. */
function skipNested(bytes: Uint8Array, from: number, end: number, depth: number): number {
  const isObject = bytes[from] === 0x7b;
  const close = isObject ? 0x7d : 0x5d;
  let at = skipSpace(bytes, from + 1, end);
  if (bytes[at] === close && at < end) return at + 1;
  for (;;) {
    if (isObject) {
      if (bytes[at] !== QUOTE) return -1;
      const key = plainStringEnd(bytes, at + 1, end);
      if (key < 0 || namesIp(bytes, at + 1, key)) return -1;
      at = skipSpace(bytes, key + 1, end);
      if (bytes[at] !== COLON) return -1;
      at = skipSpace(bytes, at + 1, end);
    }
    if (at >= end) return -1;
    at = skipValue(bytes, at, end, depth);
    if (at < 0) return -1;
    at = skipSpace(bytes, at, end);
    if (at >= end) return -1;
    if (bytes[at] === close) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at = skipSpace(bytes, at + 1, end);
  }
}
