import type { EventRow } from "../types.js";

const SPECIAL = /[\\\t\n\r]/;
const SPECIALS = /[\\\t\n\r]/g;
const ESCAPES: { readonly [character: string]: string } = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
};

const text = (value: string | null): string => {
  if (value === null) return "\\N";
  return SPECIAL.test(value) ? value.replace(SPECIALS, (character) => ESCAPES[character] as string) : value;
};

/**
 * A row in PostgreSQL's COPY text format, with its line feed.
 * Source: https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS
 */
export const copyLine = (row: EventRow): string =>
  `${row.event_id}\t${row.event_timestamp.toISOString()}\t${text(row.event_name)}\t${text(row.user_id)}\t${text(
    row.user_login_state,
  )}\t${text(row.identity_source)}\t${text(row.client_id)}\t${text(row.session_id)}\t${
    row.is_first_visit ?? "\\N"
  }\t${text(row.context_product_id)}\t${text(row.context_product_name)}\t${text(
    row.context_product_category,
  )}\t${text(row.context_product_brand)}\t${row.context_product_price ?? "\\N"}\t${
    row.context_product_discount_price ?? "\\N"
  }\t${text(row.context_product_url_path)}\n`;
