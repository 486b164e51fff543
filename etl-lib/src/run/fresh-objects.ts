import {
  coveredFolder,
  type ListedObjects,
  type Listing,
  type ListingScope,
  planListings,
} from "../extract/plan.js";
import type { Unit } from "../extract/units.js";
import { notYetLoaded } from "../load/ledger.js";
import { breakSeal, Fingerprint, type Seal, sealOf } from "../load/seals.js";
import type { Queryable } from "../load/warehouse.js";
import type { SourceObject } from "../types.js";

/** What a page of the listing held. */
export interface FreshPage {
  readonly unit: Unit | null;
  readonly listed: number;
  /** Those that are not loaded. */
  readonly fresh: readonly SourceObject[];
  /** Those the ledger cannot name: PostgreSQL's text holds no U+0000. */
  readonly unnamable: readonly SourceObject[];
  /** Nothing more is listed of the unit. */
  readonly isLast: boolean;
}

export interface FreshOptions extends ListingScope {
  readonly db: Queryable;
  /** Runs a query with the caller's retries. */
  readonly retrying: <T>(query: () => Promise<T>) => Promise<T>;
  /** All that is listed counts as fresh. */
  readonly reload?: boolean | undefined;
  /** Nothing is written: a seal stays whole though its folder will not. */
  readonly readOnly?: boolean | undefined;
}

/** What a scope holds less what the ledger has: one stream for each of its listings, newest hours first. */
export const freshListings = (options: FreshOptions): (() => AsyncGenerator<FreshPage>)[] =>
  planListings(options).map((listing) => () => freshPages(options, listing));

async function* freshPages(options: FreshOptions, { unit, pages }: Listing): AsyncGenerator<FreshPage> {
  const folders = new SealedFolders(options);
  for await (const page of pages()) {
    for await (const more of folders.pass(page)) yield { unit, ...more };
  }
  for await (const more of folders.decide()) yield { unit, ...more };
  yield { unit, listed: 0, fresh: [], unnamable: [], isLast: true };
}

type Part = Omit<FreshPage, "unit">;

interface SealedFolder {
  readonly seal: Seal;
  readonly seen: Fingerprint;
}

/**
 * Of a sealed folder the ledger has no rows to subtract. Its objects are held back, not one by one but by their number and
 * fingerprint; when those are the seal's, all of them are loaded. When not, the folder is listed again and read again as a
 * whole: what is in the table already counts as duplicates.
 */
class SealedFolders {
  readonly #known = new Map<string, SealedFolder | null>();
  #day = "";

  constructor(private readonly options: FreshOptions) {}

  async *pass(page: ListedObjects): AsyncGenerator<Part> {
    const { reload, readOnly: _ } = this.options;
    const unnamable = page.objects.filter(({ key }) => key.includes("\0"));
    const namable =
      unnamable.length > 0 ? page.objects.filter(({ key }) => !key.includes("\0")) : page.objects;
    if (reload) {
      yield { listed: page.objects.length, fresh: namable, unnamable, isLast: false };
      return;
    }
    const open: SourceObject[] = [];
    for (const object of namable) {
      const folder = coveredFolder(page, object.key);
      if (folder !== null && folder.slice(0, DAY_LENGTH) !== this.#day) yield* this.decide(folder);
      const sealed = folder === null ? null : await this.#sealed(folder);
      if (sealed) sealed.seen.add(object);
      else open.push(object);
    }
    const fresh = await this.#subtract(open);
    yield { listed: open.length + unnamable.length, fresh, unnamable, isLast: false };
  }

  /** At the end of a day in a listing of many, and at the end of any. */
  async *decide(nextFolder = ""): AsyncGenerator<Part> {
    this.#day = nextFolder.slice(0, DAY_LENGTH);
    for (const [folder, sealed] of this.#known) {
      if (sealed?.seen.equals(sealed.seal))
        yield { listed: sealed.seen.objects, fresh: [], unnamable: [], isLast: false };
      else if (sealed) yield* this.#readAgain(folder);
    }
    this.#known.clear();
  }

  async *#readAgain(folder: string): AsyncGenerator<Part> {
    const { source, db, retrying, readOnly } = this.options;
    if (!readOnly) await retrying(() => breakSeal(db, source.bucket, folder));
    for await (const { objects } of source.list(folder, { shallow: folder.length === DAY_LENGTH })) {
      const namable = objects.filter(({ key }) => !key.includes("\0"));
      yield { listed: namable.length, fresh: await this.#subtract(namable), unnamable: [], isLast: false };
    }
  }

  async #sealed(folder: string): Promise<SealedFolder | null> {
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    const { db, source, retrying } = this.options;
    const seal = await retrying(() => sealOf(db, source.bucket, folder));
    const found = seal && { seal, seen: new Fingerprint() };
    this.#known.set(folder, found);
    return found;
  }

  #subtract(objects: readonly SourceObject[]): Promise<readonly SourceObject[]> {
    return this.options.retrying(() => notYetLoaded(this.options.db, objects));
  }
}

const DAY_LENGTH = "events/2025/12/06/".length;
