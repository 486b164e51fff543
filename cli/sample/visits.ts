import type { Random } from "./random.js";
import type { RawEvent } from "./raw-event.js";
import { type Step, visitSteps } from "./steps.js";
import { type Tick, timeline } from "./timeline.js";
import { type Visitor, Visitors } from "./visitors.js";

/** A visitor's event before anything happened to it on the way. */
export interface TimedEvent {
  /** When the ingest function received it, in milliseconds since 1970. */
  readonly at: number;
  readonly event: RawEvent;
}

const SHOP = "https://shop.example";
const REFERRERS = [
  "https://www.google.com/",
  "https://www.facebook.com/",
  "https://www.tiktok.com/",
  "https://zalo.me/",
] as const;
const MINUTE = 60_000;
const MEAN_DWELL_MS = 28_000;
/** Browsers without crypto.randomUUID name their events in another way. */
const OLD_BROWSER = 0.01;

/** The first `events` events of all visits that begin within `days` days, in the order in which they arrive. */
export function* visitorEvents(
  random: Random,
  from: Date,
  days: number,
  events: number,
): Generator<TimedEvent> {
  const visitors = new Visitors(random);
  const byMinute = new Map<number, TimedEvent[]>();
  let made = 0;
  let given = 0;
  for (const tick of timeline(from, days, events)) {
    for (; made < tick.due; ) {
      const visit = visitAt(random, visitors, tick);
      made += visit.length;
      for (const timed of visit) file(byMinute, timed);
    }
    const due = take(byMinute, tick.start);
    yield* due.slice(0, events - given);
    given += due.length;
    if (given >= events) return;
  }
  // Visits that were still going on at the end of the last day.
  const rest = [...byMinute.values()].flat().sort(byTime);
  yield* rest.slice(0, events - given);
}

function file(byMinute: Map<number, TimedEvent[]>, timed: TimedEvent): void {
  const minute = Math.floor(timed.at / MINUTE) * MINUTE;
  const events = byMinute.get(minute);
  if (events === undefined) byMinute.set(minute, [timed]);
  else events.push(timed);
}

function take(byMinute: Map<number, TimedEvent[]>, minute: number): TimedEvent[] {
  const events = byMinute.get(minute) ?? [];
  byMinute.delete(minute);
  return events.sort(byTime);
}

const byTime = (one: TimedEvent, other: TimedEvent): number => one.at - other.at;

function visitAt(random: Random, visitors: Visitors, { start }: Tick): TimedEvent[] {
  let at = start + random.int(0, MINUTE - 1);
  const { visitor, isFirstVisit } = visitors.arrive(at);
  const person = { hasAccount: visitor.account !== null, isLoggedIn: visitor.isLoggedIn };
  const visit = { visitor, isFirstVisit, sessionId: random.uuid(), isGuest: false };
  let referrer = random.chance(0.55) ? random.pick(REFERRERS) : null;
  const events: TimedEvent[] = [];
  for (const step of visitSteps(random, person)) {
    if (step.login !== undefined) visitor.isLoggedIn = step.login;
    if (step.guest) visit.isGuest = true;
    events.push({ at, event: toEvent(random, visit, step, referrer, at) });
    referrer = SHOP + step.path;
    at += 900 + Math.round(random.wait(MEAN_DWELL_MS));
  }
  visitor.busyUntil = at;
  return events;
}

interface Visit {
  readonly visitor: Visitor;
  readonly isFirstVisit: boolean;
  readonly sessionId: string;
  isGuest: boolean;
}

function toEvent(
  random: Random,
  { visitor, isFirstVisit, sessionId, isGuest }: Visit,
  { name, path, product, element }: Step,
  referrer: string | null,
  at: number,
): RawEvent {
  return {
    eventName: name,
    eventId: random.chance(OLD_BROWSER) ? `${at - 60}-${random.hex(8)}` : random.uuid(),
    pageUrl: SHOP + path,
    referrer,
    userId: visitor.isLoggedIn ? visitor.account : null,
    userLoginState: visitor.isLoggedIn ? "logged_in" : isGuest ? "guest" : "anonymous",
    clientId: visitor.clientId,
    sessionId,
    isFirstVisit,
    ...(product === undefined ? {} : { product }),
    ...(element === undefined ? {} : { element }),
    _ingest: {
      receivedAt: new Date(at).toISOString(),
      sourceIp: visitor.sourceIp,
      userAgent: visitor.userAgent,
      method: "POST",
      path: "/clickstream",
      requestId: `${random.hex(8)}${random.hex(8)}=`,
      apiId: "k3x9shop01",
      stage: "$default",
      traceId: `Root=1-${Math.floor(at / 1000).toString(16)}-${random.hex(24)}`,
    },
  };
}
