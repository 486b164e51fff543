import { stripVTControlCharacters, styleText } from "node:util";
import Table from "cli-table3";

/** `1,234,567` */
export const count = (value: number): string => Math.round(value).toLocaleString("en-US");

/** `850 ms`, `12.3 s`, `4 min 10 s`, `5 h 12 min`, `3 d 4 h` */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const pairs = [
    [86_400_000, "d", 3_600_000, "h"],
    [3_600_000, "h", 60_000, "min"],
    [60_000, "min", 1000, "s"],
  ] as const;
  const [large, largeName, small, smallName] = pairs.find(([unit]) => ms >= unit) ?? pairs[2];
  return `${Math.floor(ms / large)} ${largeName} ${Math.floor((ms % large) / small)} ${smallName}`;
}

/** `2026-11-20 05:00:00Z`, or a dash. */
export const time = (value: Date | string | null): string =>
  value ? `${new Date(value).toISOString().slice(0, 19).replace("T", " ")}Z` : "–";

/** Text whose control characters cannot reach the terminal; its lines stay. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a visitor typed must not reach the terminal raw
  text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "�");

/** One line of text, cut to `width`. */
export function oneLine(text: string, width: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a visitor typed must not reach the terminal raw
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

/** A column of a table. A plain name is one that always stays as wide as its cells. */
export interface Column {
  readonly name: string;
  /** Where the table is too wide its cells are wrapped, down to so many characters. */
  readonly wrapTo?: number;
  /** Where it still is, columns are left out, the highest number first. */
  readonly drop?: number;
}

const BORDERS = 3;

/** A table for people, as wide as the terminal: numbers to the right. @param rows cells as text */
export function table(
  head: readonly (string | Column)[],
  rows: readonly (readonly string[])[],
  width = terminalWidth(),
): string {
  const all = head.map((column) => (typeof column === "string" ? { name: column } : column));
  const kept = fitColumns(all, rows, width);
  const isNumeric = (column: number) =>
    rows.length > 0 && rows.every((row) => /^[\d,.%–-]*$/.test(row[column] ?? ""));
  const grid = new Table({
    head: kept.map(({ column }) => column.name),
    colAligns: kept.map(({ at }) => (isNumeric(at) ? "right" : "left")),
    colWidths: kept.map(({ width }) => width + BORDERS - 1),
    style: { head: [], border: [], compact: true },
  });
  grid.push(...rows.map((row) => kept.map(({ at, width }) => wrapped(row[at] ?? "", width))));
  return grid.toString();
}

/** The package's own wrapping takes the codes of a colour for letters. What is wrapped loses its colour. */
function wrapped(cell: string, width: number): string {
  if (lengthOf(cell) <= width) return cell;
  const lines = stripVTControlCharacters(cell).split("\n");
  return lines.flatMap((line) => line.match(new RegExp(`.{1,${width}}`, "gu")) ?? [""]).join("\n");
}

interface FittedColumn {
  readonly column: Column;
  /** Its place in the rows. */
  readonly at: number;
  width: number;
}

function fitColumns(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): FittedColumn[] {
  let kept = columns.map((column, at) => ({
    column,
    at,
    width: Math.max(...[column.name, ...rows.map((row) => row[at] ?? "")].map(lengthOf)),
  }));
  const surplus = () => kept.reduce((sum, each) => sum + each.width + BORDERS, 1) - width;
  const narrowest = () =>
    kept.reduce((sum, { column, width }) => sum + Math.max(0, width - (column.wrapTo ?? width)), 0);
  while (surplus() > narrowest()) {
    const last = Math.max(...kept.map(({ column }) => column.drop ?? 0));
    if (last === 0) break;
    kept = kept.filter(({ column }) => column.drop !== last);
  }
  for (const each of kept)
    if (surplus() > 0 && each.column.wrapTo !== undefined)
      each.width = Math.max(each.column.wrapTo, each.width - surplus());
  return kept;
}

const lengthOf = (cell: string): number =>
  Math.max(
    ...stripVTControlCharacters(cell)
      .split("\n")
      .map((line) => line.length),
  );

/** Without a terminal there is no limit, unless COLUMNS sets one. */
function terminalWidth(): number {
  return process.stdout.columns ?? (Number(process.env.COLUMNS) || Number.POSITIVE_INFINITY);
}

type Style = Parameters<typeof styleText>[0];

/** Colour, for a terminal that has it and a person who wants it. */
export function paint(style: Style, text: string): string {
  const { NO_COLOR, TERM } = process.env;
  return process.stdout.isTTY && !NO_COLOR && TERM !== "dumb" ? styleText(style, text) : text;
}
