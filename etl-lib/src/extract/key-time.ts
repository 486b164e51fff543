import { DAY, HOUR } from "../times.js";

/** The hour or day that a key names, by `events/YYYY/MM/DD/HH/…` or `events/YYYY/MM/DD/…`. */
export interface KeyTime {
  /** `2025-12-06T05` or `2025-12-06`, as it is written: it may be no date at all. */
  readonly name: string;
  /** Milliseconds since 1970, half open; null where the name is no hour or day of the calendar. */
  readonly span: { readonly from: number; readonly to: number } | null;
}

const KEY_TIME = /(?:^|\/)(\d{4})\/(\d{2})\/(\d{2})\/(?:(\d{2})\/)?/;

/** Null for a key of neither layout. */
export function keyTime(key: string): KeyTime | null {
  const match = KEY_TIME.exec(key);
  if (!match) return null;
  const [, year, month, day, hour] = match;
  const date = `${year}-${month}-${day}`;
  const from = Date.parse(`${date}T${hour ?? "00"}:00:00Z`);
  // Hour 24 parses: it is the next day's midnight, where nobody looks for this key.
  const isTime = !Number.isNaN(from) && hour !== "24";
  return {
    name: hour ? `${date}T${hour}` : date,
    span: isTime ? { from, to: from + (hour ? HOUR : DAY) } : null,
  };
}
