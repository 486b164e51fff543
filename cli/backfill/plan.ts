import type { Window } from "etl-lib";

const HOUR = 3_600_000;
export const UNITS = { hour: HOUR, day: 24 * HOUR } as const;
export type Unit = keyof typeof UNITS;

/** One invocation's share of a backfill: [from, to), as ISO 8601 in UTC. */
export interface Slice {
  readonly from: string;
  readonly to: string;
}

/** The window cut at every UTC hour or day, oldest first. */
export function planSlices(window: Window, by: Unit): Slice[] {
  const unit = UNITS[by];
  const slices: Slice[] = [];
  for (let from = window.from.getTime(); from < window.to.getTime(); ) {
    const to = Math.min(Math.floor(from / unit) * unit + unit, window.to.getTime());
    slices.push({ from: iso(from), to: iso(to) });
    from = to;
  }
  return slices;
}

/**
 * The slices of each UTC day. Objects right in a day's folder belong to every hour of it: one slice of a day has to be
 * done before the others may run side by side, or all of them would read those objects.
 */
export function groupByDay(slices: readonly Slice[]): Slice[][] {
  const days = new Map<string, Slice[]>();
  for (const slice of slices) {
    const day = slice.from.slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), slice]);
  }
  return [...days.values()];
}

/** `2025-12-06T05:00Z` */
const iso = (ms: number): string => new Date(ms).toISOString().replace(/:00\.000Z$/, "Z");
