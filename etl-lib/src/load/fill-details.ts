import type { CopyBuffer } from "../rows/copy-buffer.js";
import { setTime } from "../rows/copy-details.js";
import type { RowBuffer } from "../rows/row-buffer.js";
import { startOfHour } from "../times.js";
import { copyIntoDetails } from "./copy.js";
import { uuidArray } from "./known-events.js";
import type { WarehouseClient } from "./warehouse.js";

/** Any number that no other advisory lock of the warehouse has. */
const FILL_LOCK = 7263013;

/**
 * Writes the details of events that have none: inserted just now, loaded by an earlier version, or while details were off.
 * One transaction at a time, so that two that read the same events do not both write. As with events, the first one stays.
 * @param loaded 1 for each row whose event is in the table
 * @returns the UTC hours that gained details
 */
export async function fillDetails(
  client: WarehouseClient,
  rows: RowBuffer,
  details: CopyBuffer,
  loaded: Uint8Array,
): Promise<Set<number>> {
  const hours = new Set<number>();
  if (!loaded.includes(1)) return hours;
  await client.query("SELECT pg_advisory_xact_lock($1)", [FILL_LOCK]);
  const lacking = new Uint8Array(rows.count);
  for (const { event_id, event_timestamp } of await eventsWithoutDetails(client, uuidArray(rows, loaded))) {
    const row = rows.indexOf(event_id);
    lacking[row] = 1;
    // Another delivery of the event may have come at another time.
    setTime(details, row, event_timestamp.getTime());
    hours.add(startOfHour(event_timestamp.getTime()));
  }
  if (hours.size > 0) await copyIntoDetails(client, details.only(lacking));
  return hours;
}

async function eventsWithoutDetails(client: WarehouseClient, ids: Buffer) {
  const { rows } = await client.query<{ event_id: string; event_timestamp: Date }>(
    `WITH asked AS MATERIALIZED (
       SELECT event_id, event_timestamp FROM public.clickstream_events WHERE event_id = ANY ($1::uuid[])
     ), hour AS (SELECT DISTINCT date_bin('1 hour', event_timestamp, 'epoch') AS hour FROM asked), there AS (
       SELECT d.event_id FROM hour JOIN public.clickstream_event_details d
       ON d.event_timestamp >= hour AND d.event_timestamp < hour + interval '1 hour'
     )
     SELECT event_id, event_timestamp FROM asked
     WHERE NOT EXISTS (SELECT FROM there WHERE there.event_id = asked.event_id)`,
    [ids],
  );
  return rows;
}
