import { gzipSync } from "node:zlib";

/** An event as the shop's publisher writes it. @param id its eventId; the same id is the same event */
export function event(id: string | number, more: object = {}): object {
  return {
    eventName: "product_view",
    eventId: uuid(id),
    userId: null,
    userLoginState: "anonymous",
    clientId: `client-${id}`,
    sessionId: `session-${id}`,
    isFirstVisit: false,
    product: { id: "sku-1", name: "Tai nghe chụp tai", price: 18990000 },
    _ingest: { receivedAt: "2025-12-06T05:00:00.000Z" },
    ...more,
  };
}

/** A UUID that says its number. */
export const uuid = (id: string | number): string =>
  `00000000-0000-4000-8000-${String(id).padStart(12, "0")}`;

export const events = (from: number, to: number): object[] =>
  Array.from({ length: to - from }, (_, n) => event(from + n));

export const json = (value: unknown): string => JSON.stringify(value);
export const ndjson = (values: readonly unknown[], lineEnd = "\n"): string =>
  values.map((value) => json(value) + lineEnd).join("");
export const gzip = (text: string): Buffer => gzipSync(text);

/** A key below an hour of 6 December 2025, as the ingest function writes it today. */
export const hourKey = (name: string, hour = "05"): string => `events/2025/12/06/${hour}/${name}`;
/** A key below that day, without an hour. */
export const dayKey = (name: string): string => `events/2025/12/06/${name}`;

export const DAY = { from: new Date("2025-12-06T00:00:00Z"), to: new Date("2025-12-07T00:00:00Z") };
