const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Vietnam has had no summer time since 1975. */
const HO_CHI_MINH_OFFSET = 7 * HOUR;

/** How busy the shop is by local hour: asleep at night, a bump at lunch, busiest in the evening. */
const BY_HOUR = [
  1.8, 0.9, 0.5, 0.3, 0.3, 0.6, 1.5, 2.8, 4.2, 5.2, 5.6, 6.2, 6.8, 5.4, 5.0, 5.1, 5.3, 5.2, 5.6, 7.2, 8.6,
  8.4, 6.2, 3.4,
];
/** Sunday first. */
const BY_WEEKDAY = [1.25, 0.95, 0.95, 1, 1, 1.05, 1.2];

/** A minute and the number of events that are due when it ends. */
export interface Tick {
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly due: number;
}

/**
 * Spreads `events` over the minutes of `days` UTC days by the habits of shoppers in Asia/Ho_Chi_Minh.
 *
 * @param crowd how many there are at a time, as a multiple of the usual
 */
export function* timeline(
  from: Date,
  days: number,
  events: number,
  crowd: (time: number) => number,
): Generator<Tick> {
  const first = from.getTime();
  const last = first + days * DAY;
  let total = 0;
  for (let hour = first; hour < last; hour += HOUR) total += weightOf(hour) * crowd(hour);
  let done = 0;
  for (let start = first; start < last; start += MINUTE) {
    done += (weightOf(start) * crowd(start)) / 60;
    yield { start, due: Math.round((events * done) / total) };
  }
}

function weightOf(time: number): number {
  const local = new Date(time + HO_CHI_MINH_OFFSET);
  return (BY_HOUR[local.getUTCHours()] ?? 1) * (BY_WEEKDAY[local.getUTCDay()] ?? 1);
}

export const MS_PER_DAY = DAY;
