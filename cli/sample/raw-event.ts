import type { Product } from "./catalogue.js";

/** One event as the shop's publisher and ingest function write it. */
export interface RawEvent {
  eventName: string;
  eventId: string;
  pageUrl: string;
  referrer: string | null;
  userId: string | null;
  userLoginState: "logged_in" | "anonymous" | "guest";
  clientId: string;
  sessionId: string;
  isFirstVisit: boolean;
  product?: Product;
  element?: PageElement;
  _ingest: Ingest;
}

/** What was clicked. */
export interface PageElement {
  readonly tag: string;
  readonly id: string | null;
  readonly role: string | null;
  readonly text: string;
  readonly dataset: Readonly<Record<string, string>>;
}

/** What the ingest function adds on arrival. */
export interface Ingest {
  readonly receivedAt: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly method?: "POST";
  readonly path?: "/clickstream";
  readonly requestId?: string;
  readonly apiId?: string;
  readonly stage?: "$default";
  readonly traceId?: string;
}
