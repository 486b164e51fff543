import type { Random } from "./random.js";
import type { RawEvent } from "./raw-event.js";
import { botSteps, type Step, visitSteps } from "./steps.js";
import type { Circumstances, Story } from "./story.js";
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
interface Channel {
  readonly referrer: string | null;
  readonly source: string;
  readonly medium: string;
}
/** Where a campaign's visitors come from, as its links say. */
const CHANNELS: readonly [Channel, ...Channel[]] = [
  { referrer: "https://www.facebook.com/", source: "facebook", medium: "cpc" },
  { referrer: "https://www.google.com/", source: "google", medium: "cpc" },
  { referrer: "https://zalo.me/", source: "zalo", medium: "social" },
  { referrer: null, source: "newsletter", medium: "email" },
];
const MINUTE = 60_000;
const MEAN_DWELL_MS = 28_000;
const MEAN_DWELL_OF_BOTS_MS = 1_500;
/** Browsers without crypto.randomUUID name their events in another way. */
const OLD_BROWSER = 0.01;

/** The first `events` events of all visits that begin within `days` days, in the order in which they arrive. */
export function* visitorEvents(
  random: Random,
  from: Date,
  days: number,
  events: number,
  story: Story,
): Generator<TimedEvent> {
  const visitors = new Visitors(random);
  const byMinute = new Map<number, TimedEvent[]>();
  let made = 0;
  let given = 0;
  for (const tick of timeline(from, days, events, (time) => story.at(time).crowd)) {
    for (; made < tick.due; ) {
      const visit = visitAt(random, visitors, tick, story.at(tick.start), story.isTraced);
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

function visitAt(
  random: Random,
  visitors: Visitors,
  { start }: Tick,
  { bots, campaign, eagerness, completes }: Circumstances,
  isTraced: boolean,
): TimedEvent[] {
  let at = start + random.int(0, MINUTE - 1);
  if (bots > 0 && random.chance(bots)) return botVisitAt(random, visitors, at, isTraced);
  const { visitor, isFirstVisit } = visitors.arrive(at);
  const person = { hasAccount: visitor.account !== null, isLoggedIn: visitor.isLoggedIn };
  const visit = { visitor, isFirstVisit, sessionId: random.uuid(), isGuest: false, isTraced };
  const channel = campaign && random.chance(campaign.share) ? random.favour(CHANNELS) : null;
  let referrer: string | null = channel
    ? channel.referrer
    : random.chance(0.55)
      ? random.pick(REFERRERS)
      : null;
  let query =
    campaign && channel
      ? `?utm_source=${channel.source}&utm_medium=${channel.medium}&utm_campaign=${campaign.name}`
      : "";
  const events: TimedEvent[] = [];
  for (const step of visitSteps(random, person, { eagerness, completes })) {
    if (step.login !== undefined) visitor.isLoggedIn = step.login;
    if (step.guest) visit.isGuest = true;
    const pageUrl = SHOP + step.path + query;
    events.push({ at, event: toEvent(random, visit, step, { pageUrl, referrer }, at) });
    query = "";
    referrer = pageUrl;
    at += 900 + Math.round(random.wait(MEAN_DWELL_MS));
  }
  visitor.busyUntil = at;
  return events;
}

/** Goes through the catalogue page by page, and comes from nowhere. */
function botVisitAt(random: Random, visitors: Visitors, start: number, isTraced: boolean): TimedEvent[] {
  const who = { visitor: visitors.bot(), isFirstVisit: true, sessionId: random.uuid() };
  const visit = { ...who, isGuest: false, isTraced };
  let at = start;
  return [...botSteps(random)].map((step) => {
    at += 200 + Math.round(random.wait(MEAN_DWELL_OF_BOTS_MS));
    return { at, event: toEvent(random, visit, step, { pageUrl: SHOP + step.path, referrer: null }, at) };
  });
}

interface Visit {
  readonly visitor: Visitor;
  readonly isFirstVisit: boolean;
  readonly sessionId: string;
  isGuest: boolean;
  readonly isTraced: boolean;
}

function toEvent(
  random: Random,
  { visitor, isFirstVisit, sessionId, isGuest, isTraced }: Visit,
  { name, product, element }: Step,
  { pageUrl, referrer }: Pick<RawEvent, "pageUrl" | "referrer">,
  at: number,
): RawEvent {
  return {
    eventName: name,
    eventId: random.chance(OLD_BROWSER) ? `${at - 60}-${random.hex(8)}` : random.uuid(),
    pageUrl,
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
      ...(isTraced && trace(random, at)),
    },
  };
}

const trace = (random: Random, at: number) =>
  ({
    method: "POST",
    path: "/clickstream",
    requestId: `${random.hex(8)}${random.hex(8)}=`,
    apiId: "k3x9shop01",
    stage: "$default",
    traceId: `Root=1-${Math.floor(at / 1000).toString(16)}-${random.hex(24)}`,
  }) as const;
