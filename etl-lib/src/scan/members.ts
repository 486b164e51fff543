import { EVENT_COLUMNS, type EventColumn } from "../types.js";

/** What a member of an event is read as. */
export const READ = {
  /** Seldom; the parser knows what it means beside the others. */
  refuse: 0,
  text: 1,
  name: 2,
  id: 3,
  boolean: 4,
  price: 5,
  product: 6,
  ingest: 7,
  time: 8,
  page: 9,
  referrer: 10,
  agent: 11,
} as const;

export interface Member {
  readonly key: Uint8Array;
  readonly read: (typeof READ)[keyof typeof READ];
  /** Index in EVENT_COLUMNS, and of what has no column behind them. */
  readonly slot: number;
}

/** By the length of their key. */
export type Members = readonly (readonly Member[] | undefined)[];

const PRODUCT_SLOT = EVENT_COLUMNS.length;
const INGEST_SLOT = PRODUCT_SLOT + 1;
const PAGE_SLOT = INGEST_SLOT + 1;
const REFERRER_SLOT = PAGE_SLOT + 1;
const AGENT_SLOT = REFERRER_SLOT + 1;
export const SLOTS = AGENT_SLOT + 1;

const column = (key: string, name: EventColumn, read: Member["read"] = READ.text): Member => ({
  key: Buffer.from(key),
  read,
  slot: EVENT_COLUMNS.indexOf(name),
});
const member = (key: string, read: Member["read"], slot: number): Member => ({
  key: Buffer.from(key),
  read,
  slot,
});
const refused = (...keys: string[]): Member[] =>
  keys.map((key) => ({ key: Buffer.from(key), read: READ.refuse, slot: 0 }));

function byLength(members: readonly Member[]): Members {
  const table: Member[][] = [];
  for (const member of members) {
    const length = member.key.length;
    table[length] = [...(table[length] ?? []), member];
  }
  return Array.from(table);
}

/** What the shop's publisher writes; the other names a column may have are refused. */
export const EVENT_MEMBERS = byLength([
  column("eventId", "event_id", READ.id),
  column("eventName", "event_name", READ.name),
  column("userId", "user_id"),
  column("userLoginState", "user_login_state"),
  column("identitySource", "identity_source"),
  column("clientId", "client_id"),
  column("sessionId", "session_id"),
  column("isFirstVisit", "is_first_visit", READ.boolean),
  member("product", READ.product, PRODUCT_SLOT),
  member("_ingest", READ.ingest, INGEST_SLOT),
  member("pageUrl", READ.page, PAGE_SLOT),
  member("referrer", READ.referrer, REFERRER_SLOT),
  ...refused("event_id", "event_name", "event_timestamp", "eventTimestamp", "user_id", "user_login_state"),
  ...refused("identity_source", "client_id", "session_id", "is_first_visit", "context_product"),
  ...refused("page_url", "userAgent", "user_agent"),
]);

export const PRODUCT_MEMBERS = byLength([
  column("id", "context_product_id"),
  column("name", "context_product_name"),
  column("category", "context_product_category"),
  column("brand", "context_product_brand"),
  column("price", "context_product_price", READ.price),
  column("discountPrice", "context_product_discount_price", READ.price),
  column("urlPath", "context_product_url_path"),
  ...refused("product_id", "product_name", "product_category", "product_brand", "brandName"),
  ...refused("product_price", "product_discount_price", "product_url_path"),
]);

export const INGEST_MEMBERS = byLength([
  column("receivedAt", "event_timestamp", READ.time),
  member("userAgent", READ.agent, AGENT_SLOT),
]);

export function memberOf(members: Members, bytes: Uint8Array, at: number, end: number): Member | undefined {
  const candidates = members[end - at];
  if (!candidates) return undefined;
  for (const candidate of candidates) {
    const { key } = candidate;
    let index = 0;
    while (index < key.length && bytes[at + index] === key[index]) index++;
    if (index === key.length) return candidate;
  }
  return undefined;
}
