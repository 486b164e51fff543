/** In milliseconds, as all times here are, since 1970. */
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Start of the UTC hour. */
export const startOfHour = (time: number): number => Math.floor(time / HOUR) * HOUR;

/** Start of the UTC day. */
export const startOfDay = (time: number): number => Math.floor(time / DAY) * DAY;

/** The time that rows of events take up; null when there is none. */
export interface EventSpan {
  firstEventAt: number | null;
  lastEventAt: number | null;
}

export function noteSpan(span: EventSpan, { firstEventAt, lastEventAt }: Readonly<EventSpan>): void {
  if (firstEventAt === null || lastEventAt === null) return;
  span.firstEventAt = Math.min(span.firstEventAt ?? firstEventAt, firstEventAt);
  span.lastEventAt = Math.max(span.lastEventAt ?? lastEventAt, lastEventAt);
}
