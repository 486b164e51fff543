import { addEvents, noEvents } from "../counts.js";
import { keyTime } from "../extract/key-time.js";
import { coveredFolder, LISTINGS_AT_ONCE, type ListedObjects, planListings } from "../extract/plan.js";
import { sideBySide } from "../extract/side-by-side.js";
import { Fingerprint, type Seal, sealOf } from "../load/seals.js";
import type { Queryable } from "../load/warehouse.js";
import type { EventCounts, Source, SourceObject, Window } from "../types.js";

/** What the source and the ledger hold of one hour, by the key (`HH` layout), or of one day. */
export interface VerifiedHour extends EventCounts {
  /** `2025-12-06T05`, `2025-12-06` for keys without an hour, or `other`. */
  readonly hour: string;
  objects: number;
  loaded: number;
  /** In the source, but no version of it in the ledger. */
  missing: number;
  /** Loaded once, but replaced since. */
  changed: number;
  /** Loaded, with other rejects in quarantine than the ledger counts. */
  mismatched: number;
}

export interface Gap {
  readonly kind: "missing" | "changed" | "seal_mismatch" | "rejects_mismatch" | "table_mismatch";
  /** Key of the object, or of a folder whose ledger is sealed; null for the table as a whole. */
  readonly key: string | null;
  readonly detail: string;
}

export interface VerifyReport {
  readonly hours: VerifiedHour[];
  /** Of the whole warehouse: what the ledger says was inserted, and the rows there are. */
  readonly table: { readonly ledgerInserted: number; readonly rows: number };
  /** The first hundred; the hours count them all. */
  readonly gaps: Gap[];
  readonly hasGaps: boolean;
}

const MAX_GAPS_LISTED = 100;

/** Compares the source with the ledger, the ledger with quarantine, and the ledger with the table. Reads no object. */
export async function verify(
  db: Queryable,
  options: { readonly source: Source; readonly window: Window | null; readonly prefix?: string | undefined },
): Promise<VerifyReport> {
  const hours = new Map<string, VerifiedHour>();
  const gaps: Gap[] = [];
  const seals = new Map<string, SealedFolder | null>();
  const listings = planListings(options).map(({ pages }) => pages);
  for await (const page of sideBySide(listings, LISTINGS_AT_ONCE)) {
    const { objects } = page;
    const ledger = await ledgerOf(db, options.source.bucket, objects);
    for (const object of objects) {
      const hour = hourOf(hours, object.key);
      const sealed = await sealedFolder(db, seals, page, object);
      sealed?.seen.add(object);
      gaps.push(...checkObject(hour, object, ledger.get(object.key), sealed !== null));
    }
    gaps.length = Math.min(gaps.length, MAX_GAPS_LISTED);
  }
  for (const [folder, sealed] of seals)
    if (sealed) gaps.push(...checkSeal(hourOf(hours, folder), folder, sealed));
  const table = await compareTable(db);
  if (table.rows !== table.ledgerInserted)
    gaps.unshift({
      kind: "table_mismatch",
      key: null,
      detail: `the table holds ${table.rows} rows, the ledger says ${table.ledgerInserted} were inserted`,
    });
  return {
    hours: [...hours.values()].sort((a, b) => a.hour.localeCompare(b.hour)),
    table,
    gaps,
    hasGaps: gaps.length > 0,
  };
}

/** A folder of which the ledger holds one row: what is listed of it is compared as a whole. */
interface SealedFolder {
  readonly seal: Seal;
  readonly seen: Fingerprint;
}

async function sealedFolder(
  db: Queryable,
  seals: Map<string, SealedFolder | null>,
  page: ListedObjects,
  { bucket, key }: SourceObject,
): Promise<SealedFolder | null> {
  const folder = coveredFolder(page, key);
  if (folder === null) return null;
  const known = seals.get(folder);
  if (known !== undefined) return known;
  const seal = await sealOf(db, bucket, folder);
  const found = seal && { seal, seen: new Fingerprint() };
  seals.set(folder, found);
  return found;
}

function checkSeal(hour: VerifiedHour, folder: string, { seal, seen }: SealedFolder): Gap[] {
  addEvents(hour, seal.events);
  if (seen.equals(seal)) {
    hour.loaded += seen.objects;
    return [];
  }
  hour.changed += seen.objects;
  const detail = `sealed with ${seal.objects} objects, of which the ${seen.objects} there now are not the same: a backfill of it reads it again`;
  return [{ kind: "seal_mismatch", key: folder, detail }];
}

interface LedgerRow extends EventCounts {
  readonly etag: string;
  readonly quarantined: number;
}

/** The versions of the page's keys that the ledger knows. */
async function ledgerOf(
  db: Queryable,
  bucket: string,
  page: readonly SourceObject[],
): Promise<Map<string, LedgerRow[]>> {
  const { rows } = await db.query<LedgerRow & { key: string }>(
    `SELECT o.key, o.etag, o.read::float8, o.inserted::float8, o.duplicates::float8, o.rejected::float8,
       CASE WHEN o.rejected = 0 THEN 0 ELSE (
         SELECT coalesce(sum(records), 0) FROM etl.rejects r
         WHERE r.bucket = o.bucket AND r.key = o.key AND r.etag = o.etag AND r.requeued_at IS NULL) END::float8 AS quarantined
     FROM etl.objects o WHERE o.bucket = $1 AND o.key = ANY ($2)`,
    [bucket, page.map(({ key }) => key)],
  );
  const versions = new Map<string, LedgerRow[]>();
  for (const row of rows) versions.set(row.key, [...(versions.get(row.key) ?? []), row]);
  return versions;
}

function checkObject(
  hour: VerifiedHour,
  { key, etag }: SourceObject,
  versions: LedgerRow[] = [],
  isSealed: boolean,
): Gap[] {
  hour.objects++;
  const row = versions.find((version) => version.etag === etag);
  if (!row && isSealed) return [];
  if (!row && versions.length === 0) {
    hour.missing++;
    return [{ kind: "missing", key, detail: "not loaded" }];
  }
  if (!row) {
    hour.changed++;
    return [{ kind: "changed", key, detail: `loaded as ${versions.at(-1)?.etag}, now ${etag}` }];
  }
  if (!isSealed) hour.loaded++;
  addEvents(hour, row);
  if (row.quarantined === row.rejected) return [];
  hour.mismatched++;
  const detail = `the ledger counts ${row.rejected} rejects, quarantine holds ${row.quarantined}`;
  return [{ kind: "rejects_mismatch", key, detail }];
}

function hourOf(hours: Map<string, VerifiedHour>, key: string): VerifiedHour {
  const name = keyTime(key)?.name ?? "other";
  let found = hours.get(name);
  if (!found) {
    found = { hour: name, objects: 0, loaded: 0, missing: 0, changed: 0, mismatched: 0, ...noEvents() };
    hours.set(name, found);
  }
  return found;
}

/** In one statement, and so in one snapshot: a run that commits meanwhile is no mismatch. */
async function compareTable(db: Queryable): Promise<VerifyReport["table"]> {
  const { rows } = await db.query(
    `SELECT ((SELECT coalesce(sum(inserted), 0) FROM etl.objects)
         + (SELECT coalesce(sum(inserted), 0) FROM etl.sealed))::float8 AS inserted,
       (SELECT count(*) FROM public.clickstream_events)::float8 AS rows`,
  );
  return { ledgerInserted: rows[0].inserted, rows: rows[0].rows };
}
