import type { RowBuffer } from "./row-buffer.js";

/**
 * Fields of a row in PostgreSQL's binary COPY format: the length, then the value in network order. Each function writes
 * at `at` and returns where the next field begins.
 * Source: https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS
 */
export type Bytes = RowBuffer["bytes"];

/** PostgreSQL counts from 2000. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
const TWO_32 = 0x1_0000_0000;

export function putInt16(out: Bytes, at: number, value: number): number {
  out[at] = value >> 8;
  out[at + 1] = value;
  return at + 2;
}

export function putInt32(out: Bytes, at: number, value: number): number {
  out[at] = value >> 24;
  out[at + 1] = value >> 16;
  out[at + 2] = value >> 8;
  out[at + 3] = value;
  return at + 4;
}

export const putNull = (out: Bytes, at: number): number => putInt32(out, at, -1);

/** @param ms since 1970 */
export function putTimestamp(out: Bytes, at: number, ms: number): number {
  const micros = (ms - EPOCH_MS) * 1000;
  const high = Math.floor(micros / TWO_32);
  putInt32(out, at, 8);
  putInt32(out, at + 4, high);
  return putInt32(out, at + 8, micros - high * TWO_32);
}

export function putBoolean(out: Bytes, at: number, value: boolean): number {
  putInt32(out, at, 1);
  out[at + 4] = value ? 1 : 0;
  return at + 5;
}

export function putText(out: Bytes, at: number, value: string): number {
  const size = out.write(value, at + 4);
  putInt32(out, at, size);
  return at + 4 + size;
}

export function putUuid(out: Bytes, at: number, uuid: string): number {
  putInt32(out, at, 16);
  out.write(uuid.replaceAll("-", ""), at + 4, "hex");
  return at + 20;
}

const NEGATIVE = 0x4000;

/** @param decimal text such as -12.50, .5, 7. or 1e+21 */
export function putNumeric(out: Bytes, at: number, decimal: string): number {
  const [mantissa = "", exponent = "0"] = decimal.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.replace(/^[+-]/, "").split(".");
  // As numeric_in does it: the point moves by the exponent, and the digits behind it are the scale.
  const scale = Math.max(0, fraction.length - Number(exponent));
  const point = whole.length + Number(exponent);
  const digits = (whole + fraction).padStart(whole.length + fraction.length - Math.min(0, point), "0");
  const before = Math.max(0, point);
  const integer = digits.slice(0, before).padEnd(before, "0");
  const rest = digits.slice(before);
  const groups = tenThousands(integer, rest);
  const weight = Math.ceil(integer.length / 4) - 1;
  putInt32(out, at, 8 + groups.length * 2);
  putInt16(out, at + 4, groups.length);
  putInt16(out, at + 6, weight);
  putInt16(out, at + 8, mantissa.startsWith("-") ? NEGATIVE : 0);
  let end = putInt16(out, at + 10, scale);
  for (const group of groups) end = putInt16(out, end, group);
  return end;
}

/** The digits in groups of four, counted from the point on both sides. */
function tenThousands(integer: string, fraction: string): number[] {
  const left = integer.padStart(Math.ceil(integer.length / 4) * 4, "0");
  const right = fraction.padEnd(Math.ceil(fraction.length / 4) * 4, "0");
  return ((left + right).match(/\d{4}/g) ?? []).map(Number);
}

/** The numeric of `unscaled` / 10^`decimals`, both at most 15 digits, without a detour by its text. */
export function putDecimal(out: Bytes, at: number, unscaled: number, decimals: number): number {
  const one = 10 ** decimals;
  const whole = Math.floor(unscaled / one);
  const fractions = Math.ceil(decimals / 4);
  let groups = 1;
  for (let rest = whole; rest >= 10_000; rest = Math.floor(rest / 10_000)) groups++;
  const end = at + 12 + (groups + fractions) * 2;
  putInt32(out, at, 8 + (groups + fractions) * 2);
  putInt16(out, at + 4, groups + fractions);
  putInt16(out, at + 6, groups - 1);
  putInt16(out, at + 8, 0); // positive
  putInt16(out, at + 10, decimals);
  const point = at + 12 + groups * 2;
  putGroups(out, at + 12, point, whole);
  putGroups(out, point, end, (unscaled - whole * one) * 10 ** (fractions * 4 - decimals));
  return end;
}

/** The groups of four digits of `value` that fill [from, to). */
function putGroups(out: Bytes, from: number, to: number, value: number): void {
  let rest = value;
  for (let at = to - 2; at >= from; at -= 2) {
    putInt16(out, at, rest % 10_000);
    rest = Math.floor(rest / 10_000);
  }
}
