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
  /** Told how often each folder had been sealed before anything of it was subtracted. */
  readonly sealsSeen?: Map<string, number> | undefined;
}

/** What a scope holds less what the ledger has: one stream for each of its listings, newest hours first. */
export const freshListings = (options: FreshOptions): (() => AsyncGenerator<FreshPage>)[] =>
  planListings(options).map((listing) => () => freshPages(options, listing));

async function* freshPages(options: FreshOptions, { unit, pages }: Listing): AsyncGenerator<FreshPage> {
  const folders = new SealedFolders(options, unit !== null);
  for await (const page of pages()) {
    for await (const more of folders.pass(page)) yield { unit, ...more };
  }
  for await (const more of folders.decide()) yield { unit, ...more };
  yield { unit, listed: 0, fresh: [], unnamable: [], isLast: true };
}

type Part = Omit<FreshPage, "unit">;

interface SealedFolder {
  readonly version: number;
  readonly seal: Seal;
  readonly seen: Fingerprint;
}

/**
 * Of a sealed folder the ledger has no rows to subtract. Its objects are held back, not one by one but by their number and
 * fingerprint; when those are the seal's, all of them are loaded. When not, the folder is listed again and read again as a
 * whole: what is in the table already counts as duplicates. A reload reads them in any case.
 */
class SealedFolders {
  readonly #known = new Map<string, SealedFolder | null>();
  #day = "";

  constructor(
    private readonly options: FreshOptions,
    /** A listing of one object, or of those in quarantine, says nothing of the folders they lie in. */
    private readonly isOfWholeFolders: boolean,
  ) {}

  async *pass(page: ListedObjects): AsyncGenerator<Part> {
    const unnamable = page.objects.filter(({ key }) => key.includes("\0"));
    const open: SourceObject[] = [];
    for (const object of unnamable.length > 0 ? page.objects.filter(isNamable) : page.objects) {
      const folder = this.#folderOf(page, object);
      if (folder !== null && folder.slice(0, DAY_LENGTH) !== this.#day) yield* this.decide(folder);
      const sealed = folder === null ? null : await this.#sealed(folder);
      sealed?.seen.add(object);
      if (!sealed || this.options.reload) open.push(object);
    }
    const fresh = await this.#subtract(open);
    yield { listed: open.length + unnamable.length, fresh, unnamable, isLast: false };
  }

  /** At the end of a day in a listing of many, and at the end of any. */
  async *decide(nextFolder = ""): AsyncGenerator<Part> {
    this.#day = nextFolder.slice(0, DAY_LENGTH);
    for (const [folder, sealed] of this.#known) {
      if (!sealed) continue;
      const { version, seal, seen } = sealed;
      const isSame = seen.equals(seal);
      if (!isSame) await this.#breakSeal(folder, version);
      if (this.options.reload) continue;
      if (isSame) yield { listed: seen.objects, fresh: [], unnamable: [], isLast: false };
      else yield* this.#readAgain(folder);
    }
    this.#known.clear();
  }

  async *#readAgain(folder: string): AsyncGenerator<Part> {
    const { source } = this.options;
    for await (const { objects } of source.list(folder, { shallow: folder.length === DAY_LENGTH })) {
      const namable = objects.filter(isNamable);
      yield { listed: namable.length, fresh: await this.#subtract(namable), unnamable: [], isLast: false };
    }
  }

  #folderOf(page: ListedObjects, { key }: SourceObject): string | null {
    return this.options.reload && !this.isOfWholeFolders ? null : coveredFolder(page, key);
  }

  async #sealed(folder: string): Promise<SealedFolder | null> {
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    const { db, source, retrying, sealsSeen } = this.options;
    const { version, seal } = await retrying(() => sealOf(db, source.bucket, folder));
    sealsSeen?.set(folder, version);
    const found = seal && { version, seal, seen: new Fingerprint() };
    this.#known.set(folder, found);
    return found;
  }

  async #breakSeal(folder: string, version: number): Promise<void> {
    const { db, source, retrying, readOnly } = this.options;
    if (!readOnly) await retrying(() => breakSeal(db, source.bucket, folder, version));
  }

  async #subtract(objects: readonly SourceObject[]): Promise<readonly SourceObject[]> {
    const { db, retrying, reload } = this.options;
    return reload ? objects : retrying(() => notYetLoaded(db, objects));
  }
}

const isNamable = ({ key }: SourceObject): boolean => !key.includes("\0");
const DAY_LENGTH = "events/2025/12/06/".length;
