import { EVENT_COLUMNS, type EventRow } from "../types.js";
import type { RowBuffer } from "./row-buffer.js";
import {
  type Bytes,
  putBoolean,
  putInt16,
  putNull,
  putNumeric,
  putText,
  putTimestamp,
  putUuid,
} from "./row-fields.js";

/** Lengths, id, time and boolean; of a price, more than the 309 digits a double can have on either side of the point. */
const FIXED_BYTES = 2 + EVENT_COLUMNS.length * 4 + 16 + 8 + 1 + 2 * 1024;

const TEXTS = EVENT_COLUMNS.slice(2, 8) as readonly TextColumn[];
const PRODUCT_TEXTS = EVENT_COLUMNS.slice(9, 13) as readonly TextColumn[];
type TextColumn = Exclude<
  keyof EventRow,
  "event_timestamp" | "is_first_visit" | "context_product_price" | "context_product_discount_price"
>;

/** Adds a row. False when its event is in the buffer already. */
export function addRow(rows: RowBuffer, row: EventRow): boolean {
  let at = rows.reserve(FIXED_BYTES + 3 * textLength(row));
  const out = rows.bytes;
  at = putInt16(out, at, EVENT_COLUMNS.length);
  at = putUuid(out, at, row.event_id);
  at = putTimestamp(out, at, row.event_timestamp.getTime());
  for (const column of TEXTS) at = text(out, at, row[column]);
  at = row.is_first_visit === null ? putNull(out, at) : putBoolean(out, at, row.is_first_visit);
  for (const column of PRODUCT_TEXTS) at = text(out, at, row[column]);
  at = price(out, at, row.context_product_price);
  at = price(out, at, row.context_product_discount_price);
  return rows.push(text(out, at, row.context_product_url_path));
}

const text = (out: Bytes, at: number, value: string | null): number =>
  value === null ? putNull(out, at) : putText(out, at, value);

const price = (out: Bytes, at: number, value: string | null): number =>
  value === null ? putNull(out, at) : putNumeric(out, at, value);

function textLength(row: EventRow): number {
  let length = row.context_product_url_path?.length ?? 0;
  for (const column of TEXTS) length += row[column]?.length ?? 0;
  for (const column of PRODUCT_TEXTS) length += row[column]?.length ?? 0;
  return length;
}
