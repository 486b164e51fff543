import { DAY, HOUR, startOfDay, startOfHour } from "../times.js";
import type { Window } from "../types.js";

/** Where the publisher's ingest function writes. */
export const EVENTS_PREFIX = "events/";

/**
 * What of the bucket is listed at a time and remembered as listed: the folder of an hour, or what else lies in that of a
 * day: its own objects, and folders that name no hour.
 */
export interface Unit {
  /** `events/2025/12/06/05/` or `events/2025/12/06/` */
  readonly prefix: string;
  readonly isDay: boolean;
  /** End of the hour or day, in milliseconds since 1970. */
  readonly to: number;
}

/** The hours and days that a window touches, newest first; a day before its hours. */
export function unitsOf(window: Window): Unit[] {
  const units: Unit[] = [];
  const first = startOfHour(window.from.getTime());
  for (let hour = first; hour < window.to.getTime(); hour += HOUR) {
    units.push({ prefix: hourPrefix(hour), isDay: false, to: hour + HOUR });
    const isLastOfDay = (hour + HOUR) % DAY === 0 || hour + HOUR >= window.to.getTime();
    if (isLastOfDay) units.push({ prefix: dayPrefix(hour), isDay: true, to: startOfDay(hour) + DAY });
  }
  return units.reverse();
}

/** `events/2025/12/06/` of any of its instants, in milliseconds since 1970. */
export const dayPrefix = (time: number): string =>
  `${EVENTS_PREFIX}${new Date(time).toISOString().slice(0, 10).replaceAll("-", "/")}/`;

/** `events/2025/12/06/05/` */
export const hourPrefix = (time: number): string =>
  `${dayPrefix(time)}${new Date(time).toISOString().slice(11, 13)}/`;

/** The beginning of what a unit's prefix names, in milliseconds since 1970. */
export function startOf(prefix: string): number {
  const [, year, month, day, hour = "00"] = prefix.split("/");
  return Date.parse(`${year}-${month}-${day}T${hour || "00"}:00:00Z`);
}

const HOUR_FOLDER = /^events\/\d{4}\/\d{2}\/\d{2}\/([01]\d|2[0-3])\/$/;

/** Whether a folder of a day is one of its 24 hours'. */
export const isHourFolder = (folder: string): boolean => HOUR_FOLDER.test(folder);

const FOLDER = /^events\/\d{4}\/\d{2}\/\d{2}\/(?:[^/]*\/)?/;

/**
 * The folder that a key is sealed with: that of its hour, another one of its day's, or the day's own. Null for keys that
 * are not laid out by days.
 */
export const folderOf = (key: string): string | null => FOLDER.exec(key)?.[0] ?? null;
