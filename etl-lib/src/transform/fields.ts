import { NumberText } from "../extract/number-text.js";
import { type RepairLog, repairText } from "./repair.js";

/** A JSON object whose every value is untrusted. */
export type JsonObject = { readonly [key: string]: unknown };

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isNumber = (value: unknown): boolean => typeof value === "number" || value instanceof NumberText;

/** `null` counts as absent everywhere. */
const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

export const numberAsText = (value: unknown): string =>
  value instanceof NumberText ? value.text : String(value);

/** An object whose fields are read, and the same with its numbers to the letter, which is seldom asked for. */
export interface Fields {
  readonly source: JsonObject;
  readonly exact: () => JsonObject;
}

/** Makes a column's value of a JSON value; undefined when it cannot. */
interface Reader<T> {
  (value: unknown, column: string, log: RepairLog): T | undefined;
  /** Whether a double is all it needs of this number. */
  readonly isExact: (value: number) => boolean;
}

/**
 * The first of `keys` whose value `read` can use. Where one is present but none is usable, the column is null
 * and a `wrong_type` warning says so.
 */
export function firstUsable<T>(
  { source, exact }: Fields,
  keys: readonly string[],
  column: string,
  log: RepairLog,
  read: Reader<T>,
): T | null {
  let present = false;
  for (const key of keys) {
    const value = source[key];
    if (isAbsent(value)) continue;
    const isExact = typeof value !== "number" || read.isExact(value);
    const usable = read(isExact ? value : exact()[key], column, log);
    if (usable !== undefined) return usable;
    present = true;
  }
  if (present) log.add(column, "wrong_type");
  return null;
}

/** Text as it is; a number or boolean becomes its text, with a warning. */
export const asText: Reader<string> = Object.assign(
  (value: unknown, column: string, log: RepairLog) => {
    if (typeof value === "string") return repairText(value, column, log);
    if (typeof value !== "boolean" && !isNumber(value)) return undefined;
    log.add(column, "converted_to_text");
    return repairText(numberAsText(value), column, log);
  },
  { isExact: () => false },
);

/** true, false, "true" or "false". */
export const asBoolean: Reader<boolean> = Object.assign(
  (value: unknown) => {
    if (value === true || value === "true") return true;
    if (value === false || value === "false") return false;
    return undefined;
  },
  { isExact: () => true },
);

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
/** Longer decimals go through a double: PostgreSQL refuses some of what a hostile exponent can say. */
const EXACT_DECIMAL = /^[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})$/;

/** A finite number, or text that is one, as decimal text that PostgreSQL's numeric accepts. */
export const asDecimal: Reader<string> = Object.assign(
  (value: unknown) => {
    if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
    if (typeof value !== "string" && !isNumber(value)) return undefined;
    const text = numberAsText(value).trim();
    if (EXACT_DECIMAL.test(text)) return text;
    return DECIMAL.test(text) && Number.isFinite(Number(text)) ? String(Number(text)) : undefined;
  },
  { isExact: Number.isSafeInteger },
);
