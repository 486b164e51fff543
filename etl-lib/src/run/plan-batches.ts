import { sideBySide } from "../extract/side-by-side.js";
import type { Unit } from "../extract/units.js";
import type { SourceObject } from "../types.js";
import type { FreshPage } from "./fresh-objects.js";

/** Objects to load in one transaction. */
export interface BatchToLoad {
  readonly objects: readonly SourceObject[];
  /** Of each object, the hour or day that it was listed with. */
  readonly units: readonly (Unit | null)[];
  /** Their stored size. */
  readonly bytes: number;
  /** Nothing but what takes as long is behind it. */
  readonly isLast: boolean;
}

export interface BatchPlan {
  /** Newest hours first. */
  readonly listings: readonly (() => AsyncIterable<FreshPage>)[];
  readonly listingsAtOnce: number;
  /** Objects in a batch, at most. */
  readonly maxObjects: number;
  readonly onListed: (page: FreshPage) => void | Promise<void>;
  /** Ends the planning, wherever it is; what it has found is a last batch. */
  readonly isTimeUp: () => boolean;
  /** Milliseconds. */
  readonly clock: () => number;
  /** Objects, as `nameOf` names them, that earlier runs had no time to finish: they come last, each by itself. */
  readonly slow?: ReadonlySet<string>;
}

export const nameOf = ({ key, etag }: Pick<SourceObject, "key" | "etag">): string => `${etag} ${key}`;

const MAX_BATCH_OBJECTS = 2000;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** What was found waits no longer for others: a listing that finds little may go on for minutes. */
const LONGEST_WAIT_MS = 5000;

/**
 * The work of a run: what is listed less what the ledger has, grouped into batches while the listing goes on. No cursor
 * is kept, so late, overwritten and failed objects are found by any later listing.
 */
export async function* planBatches(plan: BatchPlan): AsyncGenerator<BatchToLoad> {
  const batch = new Batch(Math.min(plan.maxObjects, MAX_BATCH_OBJECTS));
  const last: BatchToLoad[] = [];
  for await (const page of sideBySide(plan.listings, plan.listingsAtOnce)) {
    await plan.onListed(page);
    for (const object of page.fresh) {
      if (plan.slow?.has(nameOf(object))) {
        last.push({ objects: [object], units: [page.unit], bytes: object.size, isLast: true });
        continue;
      }
      if (batch.isFullFor(object)) yield batch.take();
      batch.add(object, page.unit, plan.clock());
    }
    if (batch.waitsSince !== null && plan.clock() - batch.waitsSince > LONGEST_WAIT_MS) yield batch.take();
    if (plan.isTimeUp()) break;
  }
  if (batch.waitsSince !== null) yield batch.take();
  yield* last;
}

class Batch {
  #objects: { readonly object: SourceObject; readonly unit: Unit | null }[] = [];
  #bytes = 0;
  /** When its first object came; null while it is empty. */
  waitsSince: number | null = null;

  constructor(private readonly maxObjects: number) {}

  isFullFor({ size }: SourceObject): boolean {
    const { length } = this.#objects;
    return length >= this.maxObjects || (length > 0 && this.#bytes + size > MAX_BATCH_BYTES);
  }

  add(object: SourceObject, unit: Unit | null, now: number): void {
    this.waitsSince ??= now;
    this.#objects.push({ object, unit });
    this.#bytes += object.size;
  }

  /** By their keys, whatever order the listings came in: two runs then never wait for each other crosswise. */
  take(): BatchToLoad {
    const objects = this.#objects.sort(byKey);
    const batch = {
      objects: objects.map(({ object }) => object),
      units: objects.map(({ unit }) => unit),
      bytes: this.#bytes,
      isLast: false,
    };
    this.#objects = [];
    this.#bytes = 0;
    this.waitsSince = null;
    return batch;
  }
}

const byKey = (one: { object: SourceObject }, other: { object: SourceObject }): number =>
  one.object.key < other.object.key ? -1 : 1;
