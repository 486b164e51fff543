import { v5 as uuidv5 } from "uuid";
import { type JsonObject, numberAsText } from "./fields.js";

/** Namespace of every id this library derives. Changing it would make each replayed event a new one. */
export const EVENT_ID_NAMESPACE = "6f1d4b0e-4c59-5e0a-9b53-0d5e2f7a1c84";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * A UUID as it is (lower case), any other non-empty text or number as its UUIDv5, and where there is none the
 * UUIDv5 of where the event lies (`bucket/key#position`), so that a replay never makes a new id.
 * @param exact the event with its numbers to the letter
 */
export function eventId(event: JsonObject, exact: () => JsonObject, locate: () => string): string {
  for (const key of ["eventId", "event_id"]) {
    const candidate = event[key];
    if (typeof candidate === "string" && candidate !== "")
      return UUID.test(candidate) ? candidate.toLowerCase() : derive(candidate);
    if (typeof candidate === "number") return derive(numberAsText(exact()[key]));
  }
  return derive(locate());
}

/** A lone surrogate has no UTF-8 form; it hashes as U+FFFD, like every other text of the library. */
const derive = (name: string): string => uuidv5(name.toWellFormed(), EVENT_ID_NAMESPACE);
