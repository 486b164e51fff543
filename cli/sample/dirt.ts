import type { RejectCause } from "etl-lib";
import type { Random } from "./random.js";
import type { RawEvent } from "./raw-event.js";
import type { TimedEvent } from "./visits.js";

/** Where a record has to stand among the files. */
export type Placement = "next" | "same-file" | "other-file" | "own-file" | "own-gzip-file";

/** One record of a file, and what the ETL is to make of it. */
export interface GeneratedEvent {
  /** When it was received, in milliseconds since 1970: its key's hour. */
  readonly at: number;
  /** The record's text or, where it is no text at all, its bytes. */
  readonly content: string | Uint8Array;
  /** `row`, `duplicate` of a record before it, or the cause of its rejection. */
  readonly expect: "row" | "duplicate" | RejectCause;
  /** A row that is repaired on the way. */
  readonly isRepaired: boolean;
  readonly placement: Placement;
}

type Dirt = (timed: TimedEvent, random: Random) => GeneratedEvent[];

const KINDS: readonly { readonly share: number; readonly make: Dirt }[] = [
  { share: 0.3, make: (timed, random) => twice(timed, random.chance(0.5) ? "same-file" : "other-file") },
  { share: 0.4, make: (timed, random) => [repaired(timed, random)] },
  { share: 0.1, make: ({ at, event }) => [bad(at, "invalid_json", cutOff(event))] },
  {
    share: 0.07,
    make: ({ at }, random) => [bad(at, "not_an_object", random.pick(["42", '"ping"', "null", "true"]))],
  },
  { share: 0.07, make: ({ at, event }, random) => [bad(at, "missing_event_name", nameless(event, random))] },
  { share: 0.03, make: ({ at, event }) => [bad(at, "too_deep", deep(event))] },
  { share: 0.02, make: ({ at }, random) => [bad(at, "invalid_gzip", brokenGzip(random), "own-file")] },
  { share: 0.01, make: ({ at, event }) => [bad(at, "too_large", large(event), "own-gzip-file")] },
];

/** What a visitor's event becomes on the way to the bucket, with the bad luck of one in `1 / share`. */
export function soil(timed: TimedEvent, random: Random): GeneratedEvent[] {
  let rest = random.next();
  for (const { share, make } of KINDS) {
    if (rest < share) return make(timed, random);
    rest -= share;
  }
  return [clean(timed)];
}

export function clean({ at, event }: TimedEvent): GeneratedEvent {
  return row(at, JSON.stringify(event), false);
}

function row(at: number, content: string, isRepaired: boolean): GeneratedEvent {
  return { at, content, expect: "row", isRepaired, placement: "next" };
}

function bad(
  at: number,
  cause: RejectCause,
  content: string | Uint8Array,
  placement: Placement = "same-file",
): GeneratedEvent {
  return { at, content, expect: cause, isRepaired: false, placement };
}

function twice(timed: TimedEvent, placement: Placement): GeneratedEvent[] {
  const first = clean(timed);
  return [first, { ...first, expect: "duplicate", placement }];
}

function cutOff(event: RawEvent): string {
  const text = JSON.stringify(event);
  return text.slice(0, text.length >> 1);
}

function nameless(event: RawEvent, random: Random): string {
  const { eventName: _, ...rest } = event;
  return JSON.stringify(random.pick<object>([rest, { ...rest, eventName: "" }, { ...rest, eventName: 7 }]));
}

function deep(event: RawEvent): string {
  const levels = 80;
  return `${JSON.stringify(event).slice(0, -1)},"extra":${"[".repeat(levels)}${"]".repeat(levels)}}`;
}

function large(event: RawEvent): string {
  return JSON.stringify({ ...event, note: "x".repeat(1024 * 1024) });
}

/** The magic bytes, and nothing that inflates. */
function brokenGzip(random: Random): Uint8Array {
  return Buffer.from(`1f8b0800000000000003${random.hex(24)}${random.hex(24)}`, "hex");
}

/** Each of them is a repair of the mapping: the event becomes a row all the same. */
const FAULTS: readonly [(event: RawEvent) => object, ...((event: RawEvent) => object)[]] = [
  (event) => ({ ...event, clientId: `${event.clientId}\0` }),
  (event) => ({ ...event, product: { ...event.product, name: "Ốp lưng \ud83d" } }),
  (event) => ({ ...event, product: { ...event.product, urlPath: `/product/${"a".repeat(5000)}` } }),
  (event) => ({ ...event, userId: 100_777 }),
  (event) => ({ ...event, product: { ...event.product, category: { vi: "Laptop" } } }),
  (event) => ({ ...event, product: { ...event.product, price: "liên hệ" } }),
  (event) => ({ ...event, isFirstVisit: 7 }),
  (event) => ({
    ...event,
    eventTimestamp: event._ingest.receivedAt,
    _ingest: { ...event._ingest, receivedAt: "vừa xong" },
  }),
];

function repaired({ at, event }: TimedEvent, random: Random): GeneratedEvent {
  return row(at, JSON.stringify(random.pick(FAULTS)(event)), true);
}
