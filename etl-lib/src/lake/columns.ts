import { DETAIL_COLUMNS, EVENT_COLUMNS } from "../types.js";

/** How a value is kept: time in microseconds since 1970 in UTC, decimal with four places. */
export type LakeKind = "text" | "time" | "boolean" | "decimal";

export interface LakeColumn {
  readonly name: string;
  readonly kind: LakeKind;
  /** What PostgreSQL sends of it: one text for each value, whatever the session's settings. */
  readonly sql: string;
  readonly required: boolean;
}

export const DECIMAL = { precision: 18, scale: 4 } as const;

const KINDS: { readonly [column: string]: LakeKind } = {
  event_timestamp: "time",
  is_first_visit: "boolean",
  context_product_price: "decimal",
  context_product_discount_price: "decimal",
  is_bot: "boolean",
};
const REQUIRED = ["event_id", "event_timestamp", "event_name"];

const DETAILS = DETAIL_COLUMNS.filter((name) => !(EVENT_COLUMNS as readonly string[]).includes(name));

const SQL: { readonly [kind in LakeKind]: (column: string) => string } = {
  text: (column) => `${column}::text`,
  time: (column) => `extract(epoch FROM ${column})`, // a numeric with six decimals
  boolean: (column) => column,
  decimal: (column) => `trim_scale(${column})`,
};

const columnOf = (name: string, table: "e" | "d"): LakeColumn => {
  const kind = KINDS[name] ?? "text";
  return { name, kind, sql: SQL[kind](`${table}.${name}`), required: REQUIRED.includes(name) };
};

/** What is read of the warehouse: the 16 columns of the events and, beside them, their details. */
export const TABLE_COLUMNS: readonly LakeColumn[] = [
  ...EVENT_COLUMNS.map((name) => columnOf(name, "e")),
  ...DETAILS.map((name) => columnOf(name, "d")),
];

/**
 * The prices that a decimal(18,4) cannot hold, as JSON by column: PostgreSQL's numeric has no bound, and a price is what a
 * browser sent. Such a price is null in its own column.
 */
export const BEYOND_DECIMAL = "beyond_decimal";

/** Of the files, in their order. */
export const LAKE_COLUMNS: readonly Pick<LakeColumn, "name" | "kind" | "required">[] = [
  ...TABLE_COLUMNS,
  { name: BEYOND_DECIMAL, kind: "text", required: false },
];

/** Folder of the files, below the lake's own. */
export const LAKE_TABLE = "clickstream_events";
