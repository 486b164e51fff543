import { parseNumbersExactly } from "../extract/number-text.js";
import { MAX_DEPTH } from "../limits.js";
import type { EventRow, RejectCause, SourceObject } from "../types.js";
import { eventId } from "./event-id.js";
import { eventTimestamp } from "./event-timestamp.js";
import {
  asBoolean,
  asDecimal,
  asText,
  type Fields,
  firstUsable,
  isJsonObject,
  type JsonObject,
} from "./fields.js";
import { type RepairLog, repairText } from "./repair.js";

/** Where an event was found: what its id and its time fall back on. */
export interface EventOrigin {
  readonly object: Pick<SourceObject, "bucket" | "key" | "lastModified">;
  /** 0-based index of the event in its object. */
  readonly position: number;
  /** Makes the event's text, where a number has to be what it is there. */
  readonly text?: () => string;
}

export type Transformed =
  | { readonly row: EventRow; readonly reject?: never }
  | { readonly row?: never; readonly reject: { readonly cause: RejectCause; readonly detail: string } };

/**
 * Maps one parsed JSON value to a row of `public.clickstream_events`, or says why it cannot be one. Never throws,
 * whatever the value; repairs are counted in `log`. The mapping is the table of docs/input-contract.md.
 */
export function transformEvent(value: unknown, origin: EventOrigin, log: RepairLog): Transformed {
  if (!isJsonObject(value))
    return rejected("not_an_object", `expected a JSON object, found ${nameOf(value)}`);
  if (isDeeperThan(value, MAX_DEPTH)) return rejected("too_deep", `nested deeper than ${MAX_DEPTH} levels`);
  const name = eventName(value, log);
  if (!name) return rejected("missing_event_name", "eventName is absent, empty or not text");
  return { row: toRow(value, name, origin, log) };
}

const rejected = (cause: RejectCause, detail: string): Transformed => ({ reject: { cause, detail } });

const nameOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;

function eventName(event: JsonObject, log: RepairLog): string | undefined {
  for (const candidate of [event.eventName, event.event_name]) {
    const name = typeof candidate === "string" ? repairText(candidate, "event_name", log) : "";
    if (name !== "") return name;
  }
  return undefined;
}

/** Where each column comes from, the first that is usable. */
export const KEYS = {
  user_id: ["userId", "user_id"],
  user_login_state: ["userLoginState", "user_login_state"],
  identity_source: ["identitySource", "identity_source"],
  client_id: ["clientId", "client_id"],
  session_id: ["sessionId", "session_id"],
  is_first_visit: ["isFirstVisit", "is_first_visit"],
  context_product_id: ["id", "product_id"],
  context_product_name: ["name", "product_name"],
  context_product_category: ["category", "product_category"],
  context_product_brand: ["brand", "brandName", "product_brand"],
  context_product_price: ["price", "product_price"],
  context_product_discount_price: ["discountPrice", "product_discount_price"],
  context_product_url_path: ["urlPath", "product_url_path"],
} as const;

type TextColumn = Exclude<keyof typeof KEYS, "is_first_visit" | PriceColumn>;
type PriceColumn = "context_product_price" | "context_product_discount_price";

const text = (source: Fields, column: TextColumn, log: RepairLog) =>
  firstUsable(source, KEYS[column], column, log, asText);
const price = (product: Fields, column: PriceColumn, log: RepairLog) =>
  firstUsable(product, KEYS[column], column, log, asDecimal);

function toRow(event: JsonObject, name: string, origin: EventOrigin, log: RepairLog): EventRow {
  let parsed: JsonObject | undefined;
  const exact = () => (parsed ??= (origin.text && parseNumbersExactly(origin.text())) ?? event);
  const fields = { source: event, exact };
  const product = productFields(fields, log);
  return {
    event_id: eventId(event, exact, () => `${origin.object.bucket}/${origin.object.key}#${origin.position}`),
    event_timestamp: eventTimestamp(event, origin.object.lastModified, log),
    event_name: name,
    user_id: text(fields, "user_id", log),
    user_login_state: text(fields, "user_login_state", log),
    identity_source: text(fields, "identity_source", log),
    client_id: text(fields, "client_id", log),
    session_id: text(fields, "session_id", log),
    is_first_visit: firstUsable(fields, KEYS.is_first_visit, "is_first_visit", log, asBoolean),
    context_product_id: text(product, "context_product_id", log),
    context_product_name: text(product, "context_product_name", log),
    context_product_category: text(product, "context_product_category", log),
    context_product_brand: text(product, "context_product_brand", log),
    context_product_price: price(product, "context_product_price", log),
    context_product_discount_price: price(product, "context_product_discount_price", log),
    context_product_url_path: text(product, "context_product_url_path", log),
  };
}

const NO_PRODUCT: Fields = { source: Object.freeze({}), exact: () => ({}) };

function productFields({ source: event, exact }: Fields, log: RepairLog): Fields {
  for (const key of ["product", "context_product"]) {
    const product = event[key];
    if (isJsonObject(product)) return { source: product, exact: () => exact()[key] as JsonObject };
  }
  if ((event.product ?? event.context_product ?? null) !== null) log.add("context_product", "wrong_type");
  return NO_PRODUCT;
}

/** Depth of `{}` is 1. Stops at the limit, so hostile nesting costs no stack. */
function isDeeperThan(value: object, limit: number): boolean {
  if (limit === 0) return true;
  for (const key in value) {
    const child = (value as JsonObject)[key];
    if (typeof child === "object" && child !== null && isDeeperThan(child, limit - 1)) return true;
  }
  return false;
}
