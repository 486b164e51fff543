import { type RepairLog, repairText } from "./repair.js";

/** A JSON object whose every value is untrusted. */
export type JsonObject = { readonly [key: string]: unknown };

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `null` counts as absent everywhere. */
const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

/** Makes a column's value of a JSON value; undefined when it cannot. */
type Reader<T> = (value: unknown, column: string, log: RepairLog) => T | undefined;

/**
 * The first of `keys` whose value `read` can use. Where one is present but none is usable, the column is null
 * and a `wrong_type` warning says so.
 */
export function firstUsable<T>(
  source: JsonObject,
  keys: readonly string[],
  column: string,
  log: RepairLog,
  read: Reader<T>,
): T | null {
  let present = false;
  for (const key of keys) {
    const value = source[key];
    if (isAbsent(value)) continue;
    const usable = read(value, column, log);
    if (usable !== undefined) return usable;
    present = true;
  }
  if (present) log.add(column, "wrong_type");
  return null;
}

/** Text as it is; a number or boolean becomes its text, with a warning. */
export const asText: Reader<string> = (value, column, log) => {
  if (typeof value === "string") return repairText(value, column, log);
  if (typeof value !== "number" && typeof value !== "boolean") return undefined;
  log.add(column, "converted_to_text");
  return String(value);
};

/** true, false, "true" or "false". */
export const asBoolean: Reader<boolean> = (value) => {
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  return undefined;
};

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
/** Longer decimals go through a double: PostgreSQL refuses some of what a hostile exponent can say. */
const EXACT_DECIMAL = /^[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})$/;

/** A finite number, or text that is one, as decimal text that PostgreSQL's numeric accepts. */
export const asDecimal: Reader<string> = (value) => {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (EXACT_DECIMAL.test(text)) return text;
  return DECIMAL.test(text) && Number.isFinite(Number(text)) ? String(Number(text)) : undefined;
};
