import type { Source, SourceObject, SourcePage, Window } from "../types.js";
import { keyTime } from "./key-time.js";
import { startsWithin } from "./window.js";

/** Where the publisher's ingest function writes. */
export const EVENTS_PREFIX = "events/";
const DAY = 24 * 60 * 60 * 1000;

/**
 * The objects of a window, page by page, in both layouts: `events/YYYY/MM/DD/HH/…` where the hour touches the window,
 * and everything else of a day that touches it. Without a window: all below `prefix`.
 */
export async function* listObjects(
  source: Source,
  {
    window,
    prefix = EVENTS_PREFIX,
  }: { readonly window: Window | null; readonly prefix?: string | undefined },
): AsyncGenerator<readonly SourceObject[]> {
  if (!window || prefix !== EVENTS_PREFIX) {
    for await (const page of source.list(prefix))
      yield window ? page.objects.filter(isWithin(window)) : page.objects;
    return;
  }
  for (const day of startsWithin(window, DAY)) yield* listDay(source, day, window);
}

async function* listDay(source: Source, day: Date, window: Window): AsyncGenerator<readonly SourceObject[]> {
  const prefix = `${EVENTS_PREFIX}${day.toISOString().slice(0, 10).replaceAll("-", "/")}/`;
  const isWhole = day >= window.from && day.getTime() + DAY <= window.to.getTime();
  for await (const page of source.list(prefix, { shallow: !isWhole })) {
    yield page.objects;
    for (const folder of page.folders)
      if (isFolderWithin(folder, window)) yield* objectsOf(source.list(folder));
  }
}

async function* objectsOf(pages: AsyncIterable<SourcePage>) {
  for await (const page of pages) yield page.objects;
}

const isWithin =
  (window: Window) =>
  ({ key }: SourceObject): boolean =>
    isFolderWithin(key, window);

/** What names no hour or day is considered: a file is never passed over because of its name. */
function isFolderWithin(key: string, window: Window): boolean {
  const span = keyTime(key)?.span;
  return !span || (span.from < window.to.getTime() && span.to > window.from.getTime());
}
