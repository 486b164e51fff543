import { LoadError } from "../errors.js";
import { EVENT_COLUMNS, type EventColumn } from "../types.js";
import type { Queryable } from "./warehouse.js";

/** As PostgreSQL names them; every other column is text. */
const TYPES: { readonly [column in EventColumn]?: string } = {
  event_id: "uuid PRIMARY KEY",
  event_timestamp: "timestamp with time zone NOT NULL",
  event_name: "text NOT NULL",
  is_first_visit: "boolean",
  context_product_price: "numeric",
  context_product_discount_price: "numeric",
};
const EXPECTED = EVENT_COLUMNS.map((column) => `${column} ${TYPES[column] ?? "text"}`);

const FOUND = `
SELECT format('%s %s%s', attname, format_type(atttypid, atttypmod),
  CASE WHEN key.indkey IS NOT NULL THEN ' PRIMARY KEY' WHEN attnotnull THEN ' NOT NULL' END) AS definition
FROM pg_attribute LEFT JOIN pg_index AS key
  ON key.indrelid = attrelid AND key.indisprimary AND key.indkey::text = attnum::text
WHERE attrelid = to_regclass('public.clickstream_events') AND attnum > 0 AND NOT attisdropped
ORDER BY attnum`;

/**
 * Without its key the table would take every event twice, with another type it would change what it holds.
 * @throws {LoadError} fatal, naming the columns that differ
 */
export async function assertEventTable(db: Queryable): Promise<void> {
  const found = (await db.query<{ definition: string }>(FOUND)).rows.map(({ definition }) => definition);
  const lacks = EXPECTED.filter((definition) => !found.includes(definition));
  const besides = found.filter((definition) => !EXPECTED.includes(definition));
  const differences = [
    ...(lacks.length > 0 ? [`it lacks ${lacks.join(", ")}`] : []),
    ...(besides.length > 0 ? [`it has ${besides.join(", ")}`] : []),
    ...(lacks.length + besides.length === 0 && found.join() !== EXPECTED.join()
      ? [`its columns are in another order than ${EVENT_COLUMNS.join(", ")}`]
      : []),
  ];
  if (differences.length > 0)
    throw new LoadError(
      "fatal",
      `public.clickstream_events has another shape: ${differences.join("; ")}. Change it back, or move it away and migrate again.`,
    );
}
