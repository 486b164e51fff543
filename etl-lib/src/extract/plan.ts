import type { Source, SourceObject, Window } from "../types.js";
import { keyTime } from "./key-time.js";
import { sideBySide } from "./side-by-side.js";
import { EVENTS_PREFIX, folderOf, isHourFolder, type Unit, unitsOf } from "./units.js";

/** What is listed. */
export interface ListingScope {
  readonly source: Source;
  /** Null: all below the prefix. */
  readonly window: Window | null;
  /** @default "events/" */
  readonly prefix?: string | undefined;
  /** Of the hours and days of the window those to list. @default all */
  readonly isDue?: ((unit: Unit) => boolean) | undefined;
}

/** Some objects of a listing, in the order of its keys. */
export interface ListedObjects {
  /** The prefix that was listed; whole folders below it are listed whole. */
  readonly prefix: string;
  /** Only what lies right below the prefix was listed, not in its folders. */
  readonly shallow: boolean;
  readonly objects: readonly SourceObject[];
}

/** One listing, and what it covers. */
export interface Listing {
  /** Null where the listing is not of one hour or day. */
  readonly unit: Unit | null;
  readonly pages: () => AsyncIterable<ListedObjects>;
}

/** LIST requests at a time: 80 ms each at S3, of which one thread spends 5. */
export const LISTINGS_AT_ONCE = 16;
/** After a run that was cut short: of many side by side none might come to its end in the time there is, again and again. */
export const LISTINGS_AT_ONCE_AFTER_A_CUT = 4;

/**
 * The listings that a window takes, newest hours first, in both layouts: `events/YYYY/MM/DD/HH/…` where the hour touches
 * the window, and everything else of a day that touches it. Without a window, or of another prefix: one.
 */
export function planListings({
  source,
  window,
  prefix = EVENTS_PREFIX,
  isDue = () => true,
}: ListingScope): Listing[] {
  if (!window || prefix !== EVENTS_PREFIX)
    return [{ unit: null, pages: () => listBelow(source, prefix, window) }];
  return unitsOf(window)
    .filter(isDue)
    .map((unit) => ({
      unit,
      pages: () => (unit.isDay ? listDay(source, unit.prefix) : listBelow(source, unit.prefix, null)),
    }));
}

/** The objects of a scope, page by page. */
export async function* listObjects(scope: ListingScope): AsyncGenerator<readonly SourceObject[]> {
  const listings = planListings(scope).map(({ pages }) => pages);
  for await (const { objects } of sideBySide(listings, LISTINGS_AT_ONCE)) yield objects;
}

async function* listBelow(
  source: Source,
  prefix: string,
  window: Window | null,
): AsyncGenerator<ListedObjects> {
  for await (const { objects } of source.list(prefix))
    yield { prefix, shallow: false, objects: window ? objects.filter(isWithin(window)) : objects };
}

/** A day's own objects and its folders but for those of hours, which are listed by themselves. */
async function* listDay(source: Source, prefix: string): AsyncGenerator<ListedObjects> {
  const others: string[] = [];
  for await (const { objects, folders } of source.list(prefix, { shallow: true })) {
    others.push(...folders.filter((folder) => !isHourFolder(folder)));
    yield { prefix, shallow: true, objects };
  }
  for (const folder of others) yield* listBelow(source, folder, null);
}

/** What names no hour or day is considered: a file is never passed over because of its name. */
const isWithin =
  (window: Window) =>
  ({ key }: SourceObject): boolean => {
    const span = keyTime(key)?.span;
    return !span || (span.from < window.to.getTime() && span.to > window.from.getTime());
  };

/** The folder of a key when the listing that it comes from holds all of it; null when it holds a part, or it has none. */
export function coveredFolder({ prefix, shallow }: ListedObjects, key: string): string | null {
  const folder = folderOf(key);
  if (folder === null) return null;
  return (shallow ? folder === prefix : folder.startsWith(prefix)) ? folder : null;
}
