import { PlanError } from "../errors.js";
import { HOUR, startOfHour } from "../times.js";
import type { Window } from "../types.js";

const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * The window [from, to), both ISO 8601; a time without an offset is UTC.
 * @throws {PlanError} fatal, naming the setting
 */
export function parseWindow(from: string, to: string, names = { from: "from", to: "to" }): Window {
  const window = { from: parseInstant(from, names.from), to: parseInstant(to, names.to) };
  if (window.from >= window.to)
    throw new PlanError(
      "fatal",
      `The window is empty: ${names.from} (${window.from.toISOString()}) must lie before ${names.to} (${window.to.toISOString()}).`,
    );
  return window;
}

function parseInstant(text: string, name: string): Date {
  const hoursOnly = /T\d{2}(?=Z|[+-]|$)/.exec(text);
  const withMinutes = hoursOnly ? text.replace(hoursOnly[0], `${hoursOnly[0]}:00`) : text;
  const isUtc = !/T/.test(text) || /(Z|[+-]\d{2}:\d{2})$/.test(text);
  const date = new Date(isUtc ? withMinutes : `${withMinutes}Z`);
  if (!ISO.test(text) || Number.isNaN(date.getTime()) || !isCalendarDay(text))
    throw new PlanError(
      "fatal",
      `${name} must be an ISO 8601 time in UTC such as 2026-11-20T05:00Z, not "${text}".`,
    );
  return date;
}

/** JavaScript takes 31 February for 2 March. */
const isCalendarDay = (text: string): boolean =>
  new Date(`${text.slice(0, 10)}T00:00:00Z`).toISOString().startsWith(text.slice(0, 10));

/** The last `hours` hours up to the end of the hour that `now` lies in. */
export function lookbackWindow(hours: number, now: Date): Window {
  const to = startOfHour(now.getTime()) + HOUR;
  return { from: new Date(to - (hours + 1) * HOUR), to: new Date(to) };
}
