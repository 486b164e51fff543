import { createHash, type Hash } from "node:crypto";
import { DECIMAL, LAKE_COLUMNS, type LakeKind, TABLE_COLUMNS } from "./columns.js";

/** Values of one column, a row each. */
export type LakeValue = string | bigint | boolean | null;

const NULL = "\\N";
const BEYOND = LAKE_COLUMNS.length - 1;
const KINDS: readonly LakeKind[] = TABLE_COLUMNS.map(({ kind }) => kind);
/** So many prices are remembered: a shop has a few thousand, an attacker any number. */
const PRICES_KNOWN = 10_000;

/** Rows on their way into a file, column by column. */
export class LakeRows {
  columns: LakeValue[][] = LAKE_COLUMNS.map(() => []);
  readonly #prices = new Map<string, bigint | null>();

  get count(): number {
    return (this.columns[0] as LakeValue[]).length;
  }

  /** @param line a row as COPY sends it, without its line end */
  add(line: string): void {
    const fields = line.split("\t");
    let beyond: Record<string, string> | undefined;
    for (let at = 0; at < KINDS.length; at++) {
      const field = fields[at] as string;
      const value = field === NULL ? null : this.#valueOf(KINDS[at] as LakeKind, field);
      if (value === null && field !== NULL) beyond = { ...beyond, [TABLE_COLUMNS[at]?.name ?? ""]: field };
      (this.columns[at] as LakeValue[]).push(value);
    }
    (this.columns[BEYOND] as LakeValue[]).push(beyond ? JSON.stringify(beyond) : null);
  }

  /** Empties it. @returns what it held */
  take(): LakeValue[][] {
    const taken = this.columns;
    this.columns = LAKE_COLUMNS.map(() => []);
    return taken;
  }

  #valueOf(kind: LakeKind, field: string): LakeValue {
    if (kind === "text") return field.includes("\\") ? unescapeText(field) : field;
    if (kind === "boolean") return field === "t";
    if (kind === "time") return BigInt(field.replace(".", ""));
    const known = this.#prices.get(field);
    if (known !== undefined) return known;
    if (this.#prices.size >= PRICES_KNOWN) this.#prices.clear();
    const price = parseDecimal(field);
    this.#prices.set(field, price);
    return price;
  }
}

/** The rows of a file, each as COPY sent it; what `LakeRows` made of it is undone. */
export function* linesOf(
  columns: readonly ArrayLike<LakeValue | undefined>[],
  rows: number,
): Generator<string> {
  const fields = new Array<string>(KINDS.length);
  for (let row = 0; row < rows; row++) {
    const beyond = columns[BEYOND]?.[row];
    for (let at = 0; at < fields.length; at++)
      fields[at] = fieldOf(KINDS[at] as LakeKind, columns[at]?.[row] ?? null);
    if (typeof beyond === "string") restore(fields, beyond);
    yield fields.join("\t");
  }
}

function restore(fields: string[], beyond: string): void {
  for (const [name, text] of Object.entries(JSON.parse(beyond) as Record<string, string>))
    fields[TABLE_COLUMNS.findIndex((column) => column.name === name)] = text;
}

function fieldOf(kind: LakeKind, value: LakeValue): string {
  if (value === null) return NULL;
  if (kind === "text") return escapeText(value as string);
  if (kind === "boolean") return value ? "t" : "f";
  if (kind === "decimal") return decimalText(value as bigint);
  return timeText(value as bigint);
}

const MICROS = 6;
function timeText(micros: bigint): string {
  const text = micros.toString();
  if (text.length > MICROS && text[0] !== "-") return `${text.slice(0, -MICROS)}.${text.slice(-MICROS)}`;
  const digits = text.replace("-", "").padStart(MICROS + 1, "0");
  return `${micros < 0n ? "-" : ""}${digits.slice(0, -MICROS)}.${digits.slice(-MICROS)}`;
}

const DIGITS = new RegExp(`^-?\\d{1,${DECIMAL.precision - DECIMAL.scale}}(?:\\.\\d{1,${DECIMAL.scale}})?$`);

/** @returns null where it is beyond the decimal of the files */
function parseDecimal(text: string): bigint | null {
  if (!DIGITS.test(text)) return null;
  const [whole = "", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(DECIMAL.scale, "0"));
}

/** As PostgreSQL's trim_scale writes it. */
function decimalText(value: bigint): string {
  const digits = value
    .toString()
    .replace("-", "")
    .padStart(DECIMAL.scale + 1, "0");
  const fraction = digits.slice(-DECIMAL.scale).replace(/0+$/, "");
  const whole = `${value < 0n ? "-" : ""}${digits.slice(0, -DECIMAL.scale)}`;
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** https://www.postgresql.org/docs/18/sql-copy.html, "Text Format" */
const LETTERS: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
const ESCAPES = new Map(Object.entries(LETTERS).map(([letter, character]) => [character, `\\${letter}`]));

const unescapeText = (field: string): string =>
  field.replace(/\\(.)/gs, (_, letter: string) => LETTERS[letter] ?? letter);
const escapeText = (text: string): string =>
  /[\b\f\n\r\t\v\\]/.test(text)
    ? text.replace(/[\b\f\n\r\t\v\\]/g, (character) => ESCAPES.get(character) ?? "\\\\")
    : text;

/** SHA-256 of rows as COPY sends them, in their order: PostgreSQL's own text, not this library's reading of it. */
export class RowChecksum {
  readonly #hash: Hash = createHash("sha256");
  rows = 0;

  /** Whole lines, with their ends. */
  update(lines: Uint8Array | string, rows: number): void {
    this.#hash.update(lines);
    this.rows += rows;
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}
