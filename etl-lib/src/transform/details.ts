import type { EventDetails, EventRow } from "../types.js";
import { Extras } from "./extras.js";
import { asText, type Fields, firstUsable, isJsonObject, type JsonObject } from "./fields.js";
import { campaignOf, hostOf } from "./page-address.js";
import { type RepairLog, repairText } from "./repair.js";
import { KEYS } from "./transform.js";
import { type Agent, agentOf } from "./user-agent.js";

export interface DetailsOptions {
  /** Keep the network of a visitor's IP address (/24, /48) instead of nothing. @default false */
  readonly keepIp?: boolean;
}

const NO_AGENT = { device: null, browser: null, os: null, isBot: null };

/**
 * What the 16 columns leave out of an event that became `row`. Never throws, whatever the value.
 * @param exact the event with its numbers to the letter
 */
export function detailsOf(
  event: JsonObject,
  exact: () => JsonObject,
  row: EventRow,
  log: RepairLog,
  { keepIp = false }: DetailsOptions = {},
): EventDetails {
  const fields: Fields = { source: event, exact };
  const page_url = firstUsable(fields, ["pageUrl", "page_url"], "page_url", log, asText);
  const referrer = firstUsable(fields, ["referrer"], "referrer", log, asText);
  const { isBot, ...agent } = agentOfEvent(event);
  return {
    page_url,
    referrer,
    referrer_host: referrer === null ? null : hostOf(referrer),
    ...campaign(page_url, log),
    ...agent,
    is_bot: isBot,
    extras: extrasOf(event, exact, { ...row, page_url, referrer }, new Extras(keepIp, log)),
  };
}

/** The campaign of a page's address, repaired. */
export function campaign(page: string | null, log: RepairLog) {
  const named = campaignOf(page ?? "");
  const text = (column: keyof typeof named) => named[column] && repairText(named[column], column, log);
  return {
    utm_source: text("utm_source"),
    utm_medium: text("utm_medium"),
    utm_campaign: text("utm_campaign"),
  };
}

function agentOfEvent({ _ingest, userAgent, user_agent }: JsonObject): Agent | typeof NO_AGENT {
  const received = isJsonObject(_ingest) ? _ingest.userAgent : undefined;
  for (const agent of [received, userAgent, user_agent])
    if (typeof agent === "string" && agent !== "") return agentOf(agent);
  return NO_AGENT;
}

type Held = EventRow & Pick<EventDetails, "page_url" | "referrer">;

/** Which column a member belongs to. */
const OF_EVENT = columnsByKey({
  event_id: ["eventId", "event_id"],
  event_name: ["eventName", "event_name"],
  event_timestamp: ["event_timestamp", "eventTimestamp"],
  page_url: ["pageUrl", "page_url"],
  referrer: ["referrer"],
  ...pick((column) => !column.startsWith("context_product")),
});
const OF_PRODUCT = columnsByKey(pick((column) => column.startsWith("context_product")));
const OF_INGEST = columnsByKey({ event_timestamp: ["receivedAt"] });

function pick(isWanted: (column: string) => boolean): { [column: string]: readonly string[] } {
  return Object.fromEntries(Object.entries(KEYS).filter(([column]) => isWanted(column)));
}

function columnsByKey(keys: { [column: string]: readonly string[] }): Map<string, keyof Held> {
  return new Map(
    Object.entries(keys).flatMap(([column, names]) => names.map((name) => [name, column as keyof Held])),
  );
}

function extrasOf(event: JsonObject, exact: () => JsonObject, held: Held, extras: Extras): string | null {
  const groups = new Map([["_ingest", OF_INGEST]]);
  const product = ["product", "context_product"].find((key) => isJsonObject(event[key]));
  if (product) groups.set(product, OF_PRODUCT);
  const isGroup = (key: string) => groups.has(key) && isJsonObject(event[key]);
  const isAbsentGroup = (key: string, value: unknown) =>
    value === null && (key === "_ingest" || key === "product" || key === "context_product");
  extras.add("", event, exact, (key, value) => {
    return isGroup(key) || isAbsentGroup(key, value) || isHeld(held, OF_EVENT.get(key), value);
  });
  for (const [group, columns] of groups) {
    const source = event[group];
    if (!isJsonObject(source)) continue;
    extras.add(
      group,
      source,
      () => exact()[group] as JsonObject,
      (key, value) => isHeld(held, columns.get(key), value),
    );
  }
  return extras.json;
}

/** Whether the column says the very same: not what was repaired, read from another member or not at all. */
function isHeld(held: Held, column: keyof Held | undefined, value: unknown): boolean {
  if (column === undefined) return false;
  const is = held[column];
  if (value === null) return true;
  if (column === "event_id") return typeof value === "string" && value.toLowerCase() === is;
  if (column === "event_timestamp")
    return value === held.event_timestamp.toISOString() || value === held.event_timestamp.getTime();
  // Text of a number has all the digits that the event gave it.
  return value === is || (typeof value === "number" && is !== null && Number(is) === value);
}
