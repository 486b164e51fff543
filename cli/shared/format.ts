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

/** One line of text, cut to `width`. */
export function oneLine(text: string, width: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a visitor typed must not reach the terminal raw
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

/** A table for people: numbers to the right. @param rows cells as text */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumeric = (column: number) => rows.every((row) => /^[\d,.%–-]*$/.test(row[column] ?? ""));
  const grid = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (rows.length > 0 && isNumeric(column) ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  grid.push(...rows.map((row) => [...row]));
  return grid.toString();
}
