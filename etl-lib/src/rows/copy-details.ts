import { DETAIL_COLUMNS, type EventDetails } from "../types.js";
import type { CopyBuffer } from "./copy-buffer.js";
import { type Bytes, putBoolean, putInt16, putInt32, putNull, putText, putTimestamp } from "./row-fields.js";

/** The event's id and time, each with its length, as they stand behind the number of fields of its row. */
const KEY_BYTES = 20 + 12;
const COUNT_BYTES = 2;
const TEXTS = DETAIL_COLUMNS.slice(2, 11) as readonly TextColumn[];
type TextColumn = Exclude<keyof EventDetails, "is_bot" | "extras">;
/** Lengths, the boolean, and the version of extras. */
const FIXED_BYTES = DETAIL_COLUMNS.length * 4 + 2;
/** PostgreSQL's own version of its binary jsonb, which is text behind it. */
const JSONB_VERSION = 1;

/** Adds the details of the event whose row is the last one of `rows`. */
export function addDetails(buffer: CopyBuffer, rows: CopyBuffer, details: EventDetails): void {
  let length = details.extras?.length ?? 0;
  for (const column of TEXTS) length += details[column]?.length ?? 0;
  let at = putHead(buffer, rows, FIXED_BYTES + 3 * length);
  const out = buffer.bytes;
  for (const column of TEXTS) at = text(out, at, details[column]);
  at = details.is_bot === null ? putNull(out, at) : putBoolean(out, at, details.is_bot);
  buffer.push(details.extras === null ? putNull(out, at) : putJsonb(out, at, details.extras));
}

/**
 * Begins the details of the event whose row is the last one of `rows`.
 * @param size the most that follows
 * @returns where to write what follows
 */
export function putHead(buffer: CopyBuffer, rows: CopyBuffer, size: number): number {
  const begin = buffer.reserve(COUNT_BYTES + KEY_BYTES + size);
  const at = putInt16(buffer.bytes, begin, DETAIL_COLUMNS.length);
  const from = rows.start(rows.count - 1) + COUNT_BYTES;
  return at + rows.bytes.copy(buffer.bytes, at, from, from + KEY_BYTES);
}

/** Gives the details of a row another time. @param ms since 1970 */
export function setTime(buffer: CopyBuffer, row: number, ms: number): void {
  putTimestamp(buffer.bytes, buffer.start(row) + COUNT_BYTES + 20, ms);
}

const text = (out: Bytes, at: number, value: string | null): number =>
  value === null ? putNull(out, at) : putText(out, at, value);

function putJsonb(out: Bytes, at: number, json: string): number {
  const size = out.write(json, at + 5);
  out[putInt32(out, at, size + 1)] = JSONB_VERSION;
  return at + 5 + size;
}
