import { MS_PER_DAY } from "./timeline.js";

/** How things stand at the shop at one moment. */
export interface Circumstances {
  /** Visits, as a multiple of the usual. */
  readonly crowd: number;
  /** The campaign that runs, and the share of visits that come by it; null: none of them does. */
  readonly campaign: { readonly name: string; readonly share: number } | null;
  /** Share of visits that are a bot's. */
  readonly bots: number;
  /** Whether visitors put things into the cart and begin an order, as a multiple of the usual. */
  readonly eagerness: number;
  /** The chance that an order that was begun is completed. */
  readonly completes: number;
}

/** What happens at the shop, by the time in milliseconds since 1970. */
export interface Story {
  at(time: number): Circumstances;
  /** So much later than usual what was received then lies in the bucket, in milliseconds. */
  delay(time: number): number;
  /** Whether events have what the ingest function notes for itself: ids that nothing compresses. */
  readonly isTraced: boolean;
}

const USUAL: Circumstances = { crowd: 1, campaign: null, bots: 0, eagerness: 1, completes: 0.66 };

/** Nothing happens but the days of the week. */
const UNEVENTFUL: Story = { at: () => USUAL, delay: () => 0, isTraced: true };

const HOUR = MS_PER_DAY / 24;
const GROWTH_PER_DAY = 0.004;
const EVER_RUNNING = { name: "brand", share: 0.06 };
const SALE = { name: "sale-11-11", share: 0.45 };

/**
 * Sixty days of a shop that grows a little. Days are counted from `from`, hours are UTC; the shop's own time is seven
 * hours ahead. samples/README.md tells it in words.
 */
function shopStory(from: Date): Story {
  const hours = (time: number) => (time - from.getTime()) / HOUR;
  const within = (time: number, [firstDay, firstHour]: Moment, [lastDay, lastHour]: Moment) =>
    hours(time) >= 24 * firstDay + firstHour && hours(time) < 24 * lastDay + lastHour;
  return {
    at(time) {
      const grown = 1 + GROWTH_PER_DAY * (hours(time) / 24);
      const usual = { ...USUAL, crowd: grown, campaign: EVER_RUNNING, bots: 0.01, eagerness: 1.6 };
      if (within(time, ...BOT_STORM)) return { ...usual, crowd: 170 * grown, bots: 0.97 };
      if (within(time, ...BAD_DEPLOY)) return { ...usual, completes: 0.06 };
      if (within(time, ...SALE_DAY)) return { ...usual, crowd: 2.6 * grown, campaign: SALE };
      if (within(time, ...SALE_WEEK)) return { ...usual, crowd: 1.5 * grown, campaign: SALE };
      return usual;
    },
    delay: (time) => (within(time, ...OUTAGE) ? 51 * HOUR : 0),
    isTraced: false,
  };
}

type Moment = readonly [day: number, hour: number];
type Span = readonly [from: Moment, to: Moment];

const SALE_WEEK: Span = [
  [44, 17],
  [50, 17],
];
const SALE_DAY: Span = [
  [49, 17],
  [50, 17],
];
const OUTAGE: Span = [
  [53, 0],
  [54, 0],
];
const BOT_STORM: Span = [
  [54, 18],
  [54, 21],
];
const BAD_DEPLOY: Span = [
  [55, 3],
  [57, 9],
];

/** @param options which day is the first, and whether anything is to happen */
export const storyOf = (options: { readonly story: boolean; readonly from: Date }): Story =>
  options.story ? shopStory(options.from) : UNEVENTFUL;
