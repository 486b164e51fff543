import { PlanError, type Window } from "etl-lib";

const HOUR = 3_600_000;

/** One child's share of a backfill: [from, to), as ISO 8601 in UTC. */
export interface Hour {
  readonly from: string;
  readonly to: string;
}

/** What all hours of one map answer has to fit into 256 KiB, `{"ok":1},` of each that is loaded. */
const MOST_HOURS = 25_000;

/** The hours of a window, oldest first. */
export interface HourLists {
  /**
   * The first hour of each UTC day: what lies right in the day's folder belongs to every hour of it, and is loaded with this
   * one before the others run side by side.
   */
  readonly first: Hour[];
  readonly others: Hour[];
}

/** @throws {PlanError} fatal, where one execution cannot count so many hours */
export function planHours(window: Window): HourLists {
  const hours = Math.ceil((window.to.getTime() - window.from.getTime()) / HOUR);
  if (hours > MOST_HOURS)
    throw new PlanError(
      "fatal",
      `--from and --to span ${hours} hours; one backfill takes ${MOST_HOURS} (some 34 months): start one after the other.`,
    );
  const lists: HourLists = { first: [], others: [] };
  let day = "";
  for (let from = window.from.getTime(); from < window.to.getTime(); ) {
    const to = Math.min(Math.floor(from / HOUR) * HOUR + HOUR, window.to.getTime());
    const hour: Hour = { from: iso(from), to: iso(to) };
    (hour.from.slice(0, 10) === day ? lists.others : lists.first).push(hour);
    day = hour.from.slice(0, 10);
    from = to;
  }
  return lists;
}

/** `2025-12-06T05:00Z` */
const iso = (ms: number): string => new Date(ms).toISOString().replace(/:00\.000Z$/, "Z");
