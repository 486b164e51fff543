import { listObjects } from "../extract/plan.js";
import { notYetLoaded } from "../load/ledger.js";
import type { Source, SourceObject, Window } from "../types.js";

/** Objects to load in one transaction. */
export interface BatchToLoad {
  /** In the order of their keys: see `claim`. */
  readonly objects: readonly SourceObject[];
  /** Their stored size. */
  readonly bytes: number;
}

/** A page of the listing, counted. */
export interface ListedPage {
  readonly listed: number;
  /** Not in the ledger. */
  readonly fresh: number;
  /** Stored size of the fresh ones. */
  readonly bytes: number;
  /** Those the ledger cannot name: PostgreSQL's text holds no U+0000. */
  readonly unnamable: readonly SourceObject[];
}

export interface BatchPlan {
  readonly source: Source;
  readonly window: Window | null;
  readonly prefix: string | undefined;
  /** Objects in a batch, at most. */
  readonly maxObjects: number;
  /** Runs the ledger look-up of one page, with the caller's retries. */
  readonly subtractLoaded: (
    page: readonly SourceObject[],
    lookUp: typeof notYetLoaded,
  ) => Promise<readonly SourceObject[]>;
  readonly onListed: (page: ListedPage) => void;
}

const MAX_BATCH_OBJECTS = 2000;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/**
 * The work of a run: what the window holds less what the ledger has, grouped into batches. No cursor is kept, so late,
 * overwritten and failed objects are found by any later run.
 */
export async function* planBatches(plan: BatchPlan): AsyncGenerator<BatchToLoad> {
  const maxObjects = Math.min(plan.maxObjects, MAX_BATCH_OBJECTS);
  let objects: SourceObject[] = [];
  let bytes = 0;
  for await (const page of listObjects(plan)) {
    const unnamable = page.filter(({ key }) => key.includes("\0"));
    const namable = unnamable.length > 0 ? page.filter(({ key }) => !key.includes("\0")) : page;
    const fresh = await plan.subtractLoaded(namable, notYetLoaded);
    plan.onListed({ listed: page.length, fresh: fresh.length, bytes: sizeOf(fresh), unnamable });
    for (const object of fresh) {
      if (objects.length >= maxObjects || (objects.length > 0 && bytes + object.size > MAX_BATCH_BYTES)) {
        yield { objects: objects.sort(byKey), bytes };
        objects = [];
        bytes = 0;
      }
      objects.push(object);
      bytes += object.size;
    }
  }
  if (objects.length > 0) yield { objects: objects.sort(byKey), bytes };
}

const byKey = (one: SourceObject, other: SourceObject): number => (one.key < other.key ? -1 : 1);

const sizeOf = (objects: readonly SourceObject[]): number => objects.reduce((sum, { size }) => sum + size, 0);
