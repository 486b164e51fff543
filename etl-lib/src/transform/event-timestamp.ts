import { isJsonObject, type JsonObject } from "./fields.js";
import type { RepairLog } from "./repair.js";

export const EARLIEST = Date.UTC(2000, 0, 1);
export const LATEST_AFTER_OBJECT = 24 * 60 * 60 * 1000;
/** Below it a number is seconds (until the year 5138), from it on milliseconds (since 1973). */
const SECONDS_BELOW = 1e11;

const ISO_8601 =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/**
 * The first candidate that parses and is plausible: `_ingest.receivedAt`, `event_timestamp`, `eventTimestamp`,
 * else the object's LastModified. A candidate that is present but not usable is an `unusable` warning.
 */
export function eventTimestamp(event: JsonObject, lastModified: Date, log: RepairLog): Date {
  const ingest = event._ingest;
  const received = isJsonObject(ingest) ? ingest.receivedAt : undefined;
  for (const candidate of [received, event.event_timestamp, event.eventTimestamp]) {
    if (candidate === null || candidate === undefined) continue;
    const time = parseTime(candidate);
    if (time >= EARLIEST && time <= lastModified.getTime() + LATEST_AFTER_OBJECT) return new Date(time);
    log.add("event_timestamp", "unusable");
  }
  return lastModified;
}

/** Milliseconds since 1970, or NaN. */
function parseTime(value: unknown): number {
  if (typeof value === "number") return fromEpoch(value);
  if (typeof value !== "string") return Number.NaN;
  const text = value.trim();
  return /^\d+(\.\d+)?$/.test(text) ? fromEpoch(Number(text)) : fromIso(text);
}

const fromEpoch = (value: number): number => Math.floor(value < SECONDS_BELOW ? value * 1000 : value);

/** What the ingest function writes, on a day that every month has: nothing needs a second look. */
const COMMON = /^\d{4}-\d{2}-(?:[01]\d|2[0-8])T(?:[01]\d|2[0-3]):\d{2}:\d{2}\.\d{3}Z$/;

/** A time without an offset is UTC; Date.parse would read it in the machine's own zone. */
function fromIso(text: string): number {
  if (COMMON.test(text)) return Date.parse(text);
  const parts = ISO_8601.exec(text);
  if (!parts) return Number.NaN;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "0", zone = "Z"] = parts;
  const offset = /^z$/i.test(zone) ? "Z" : `${zone.slice(0, 3)}:${zone.replace(":", "").slice(3) || "00"}`;
  const millis = fraction.slice(0, 3).padEnd(3, "0");
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.${millis}`;
  // Date.parse takes 31 February for 2 March: only a date that reads back the same is one.
  const local = Date.parse(`${iso}Z`);
  if (Number.isNaN(local) || new Date(local).getUTCDate() !== Number(day)) return Number.NaN;
  return Date.parse(`${iso}${offset}`);
}
