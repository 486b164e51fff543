import type { EventCounts, ObjectCounts, RejectCause, RejectCounts } from "./types.js";

export const noEvents = (): EventCounts => ({
  read: 0,
  inserted: 0,
  duplicates: 0,
  rejected: 0,
  expired: 0,
  erased: 0,
});

export const noObjects = (): ObjectCounts => ({
  listed: 0,
  alreadyLoaded: 0,
  loaded: 0,
  failed: 0,
  remaining: 0,
  unlisted: 0,
});

export function addEvents(counts: EventCounts, more: EventCounts): void {
  counts.read += more.read;
  counts.inserted += more.inserted;
  counts.duplicates += more.duplicates;
  counts.rejected += more.rejected;
  counts.expired += more.expired;
  counts.erased += more.erased;
}

export function countReject(counts: RejectCounts, cause: RejectCause, count = 1): void {
  counts[cause] = (counts[cause] ?? 0) + count;
}

export function addRejects(counts: RejectCounts, more: Readonly<RejectCounts>): void {
  for (const [cause, count] of Object.entries(more)) countReject(counts, cause as RejectCause, count);
}
