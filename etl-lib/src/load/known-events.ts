import { ID_BYTES, type RowBuffer } from "../rows/row-buffer.js";
import type { Queryable } from "./warehouse.js";

const UUID_OID = 2950;

/** Which rows the table has already, found with one look-up by its key. @param asked 1 for each row to ask for */
export async function knownEvents(db: Queryable, rows: RowBuffer, asked: Uint8Array): Promise<number[]> {
  const { rows: known } = await db.query<{ event_id: string }>(
    "SELECT event_id FROM public.clickstream_events WHERE event_id = ANY ($1::uuid[])",
    [uuidArray(rows, asked)],
  );
  return known.map(({ event_id }) => rows.indexOf(event_id));
}

/** The ids as PostgreSQL's binary array, which costs neither side a text of 37 bytes each. */
export function uuidArray(rows: RowBuffer, asked: Uint8Array): Buffer {
  const count = asked.reduce((sum, one) => sum + one, 0);
  const array = Buffer.alloc(20 + count * (4 + ID_BYTES));
  let at = 0;
  for (const value of [1, 0, UUID_OID, count, 1]) at = array.writeInt32BE(value, at);
  for (let row = 0; row < rows.count; row++) {
    if (!asked[row]) continue;
    at = array.writeInt32BE(ID_BYTES, at);
    at += rows.id(row).copy(array, at);
  }
  return array;
}
