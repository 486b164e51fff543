import { MAX_TEXT_LENGTH } from "../limits.js";
import type { RepairCause, Warnings } from "../types.js";

/** Counts the repairs of one or many events by column and cause. */
export class RepairLog {
  constructor(readonly warnings: Warnings = {}) {}

  add(column: string, cause: RepairCause, count = 1): void {
    // Columns are the library's own names, never input, so a plain object is safe.
    this.warnings[column] ??= {};
    const causes = this.warnings[column];
    causes[cause] = (causes[cause] ?? 0) + count;
  }

  merge(other: Warnings): void {
    for (const [column, causes] of Object.entries(other))
      for (const [cause, count] of Object.entries(causes)) this.add(column, cause as RepairCause, count);
  }
}

/** Text that PostgreSQL can hold: no U+0000, no lone surrogate, at most 4,096 characters (code points). */
export function repairText(text: string, column: string, log: RepairLog): string {
  let repaired = text;
  if (repaired.includes("\0")) {
    repaired = repaired.replaceAll("\0", "");
    log.add(column, "nul_removed");
  }
  if (!repaired.isWellFormed()) {
    repaired = repaired.toWellFormed();
    log.add(column, "surrogate_replaced");
  }
  if (repaired.length > MAX_TEXT_LENGTH) {
    const cut = cutToCodePoints(repaired, MAX_TEXT_LENGTH);
    if (cut.length < repaired.length) log.add(column, "cut");
    repaired = cut;
  }
  return repaired;
}

function cutToCodePoints(text: string, limit: number): string {
  let end = 0;
  for (let count = 0; count < limit && end < text.length; count++)
    end += (text.codePointAt(end) as number) > 0xffff ? 2 : 1;
  return text.slice(0, end);
}
