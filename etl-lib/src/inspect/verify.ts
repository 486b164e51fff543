import { addEvents, noEvents } from "../counts.js";
import { keyTime } from "../extract/key-time.js";
import { coveredFolder, LISTINGS_AT_ONCE, type ListedObjects, planListings } from "../extract/plan.js";
import { sideBySide } from "../extract/side-by-side.js";
import { readLine } from "../load/left-out.js";
import { toLoadError } from "../load/pg-errors.js";
import { Fingerprint, type Seal, sealOf } from "../load/seals.js";
import { checkOut, type Queryable, type WarehousePool } from "../load/warehouse.js";
import { startOfHour } from "../times.js";
import type { EventCounts, Source, SourceObject, Window } from "../types.js";
import { type LackingObject, lackingRows } from "./lacking-rows.js";
import { compareHours, type DetailsGap, type HourGap } from "./loaded-hours.js";

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
  /** Loaded, with events that are not in the table. Known of the first hundred such objects. */
  lacking: number;
}

export interface Gap {
  readonly kind:
    | "missing"
    | "changed"
    | "seal_mismatch"
    | "rejects_mismatch"
    | "rows_missing"
    | "unreadable"
    | "hour_mismatch"
    | "details_mismatch"
    | "table_mismatch";
  /** Key of the object, or of a folder whose ledger is sealed; null for an hour of the table, and for the table as a whole. */
  readonly key: string | null;
  readonly detail: string;
}

export interface VerifyReport {
  readonly hours: VerifiedHour[];
  /** Of the whole warehouse: what the ledger says was inserted, the rows there are, and the hours whose rows are others. */
  readonly table: {
    readonly ledgerInserted: number;
    /** Rows that were taken out on purpose: ledgerInserted - pruned - erased = rows. */
    readonly pruned: number;
    readonly erased: number;
    readonly rows: number;
    readonly mismatchedHours: number;
    /** Events without details: no gap, a reload fills them in. */
    readonly withoutDetails: number;
  };
  /** The first hundred of each kind of place (the table, its hours, objects); the counts above count them all. */
  readonly gaps: Gap[];
  readonly hasGaps: boolean;
}

const MAX_GAPS_LISTED = 100;

interface VerifyOptions {
  readonly source: Source;
  readonly window: Window | null;
  readonly prefix?: string | undefined;
}

/**
 * Compares the source with the ledger, the ledger with quarantine, and the ledger with the table. Writes nothing, and
 * reads an object only when an hour of the table that its events lie in is not what the ledger says.
 * @throws {EtlError}
 */
export async function verify(pool: WarehousePool, options: VerifyOptions): Promise<VerifyReport> {
  const client = await checkOut(pool).catch((error) => {
    throw toLoadError(error);
  });
  try {
    await client.query("SET default_transaction_read_only = on; SET statement_timeout = 0");
    return await new Verification(client, options).report();
  } catch (error) {
    throw toLoadError(error);
  } finally {
    client.release(true); // with its settings
  }
}

class Verification {
  readonly #hours = new Map<string, VerifiedHour>();
  readonly #objectGaps: Gap[] = [];
  readonly #seals = new Map<string, SealedFolder | null>();
  #lackingListed = 0;

  constructor(
    private readonly db: Queryable,
    private readonly options: VerifyOptions,
  ) {}

  async report(): Promise<VerifyReport> {
    const { gaps: hourGaps, detailsGaps, withoutDetails, rows } = await compareHours(this.db);
    const keptFrom = await readLine(this.db);
    const times = hourGaps.map(({ hour }) => hour.getTime()).sort((a, b) => a - b);
    const suspects = times.filter((time) => time >= keptFrom); // of others nothing can be brought back
    const listings = planListings(this.options).map(({ pages }) => pages);
    for await (const page of sideBySide(listings, LISTINGS_AT_ONCE)) await this.#checkPage(page, suspects);
    for (const [folder, sealed] of this.#seals)
      if (sealed) this.#note(checkSeal(hourOf(this.#hours, folder), folder, sealed));
    const ledger = await ledgerSums(this.db);
    const gaps = [
      ...tableGaps(ledger),
      ...hourGaps.slice(0, MAX_GAPS_LISTED).map(hourGap),
      ...detailsGaps.slice(0, MAX_GAPS_LISTED).map(detailsGap),
      ...this.#objectGaps,
    ];
    return {
      hours: [...this.#hours.values()].sort((a, b) => a.hour.localeCompare(b.hour)),
      table: {
        ledgerInserted: ledger.objects,
        pruned: ledger.pruned,
        erased: ledger.erased,
        rows,
        mismatchedHours: hourGaps.length,
        withoutDetails,
      },
      gaps,
      hasGaps: gaps.length > 0,
    };
  }

  async #checkPage(page: ListedObjects, suspects: readonly number[]): Promise<void> {
    const { objects } = page;
    const ledger = await ledgerOf(this.db, this.options.source.bucket, objects);
    const candidates: SourceObject[] = [];
    for (const object of objects) {
      const sealed = await sealedFolder(this.db, this.#seals, page, object);
      sealed?.seen.add(object);
      const versions = ledger.get(object.key);
      this.#note(checkObject(hourOf(this.#hours, object.key), object, versions, sealed !== null));
      const row = versions?.find(({ etag }) => etag === object.etag);
      if (mayHoldRows(row ?? sealed?.seal, suspects)) candidates.push(object);
    }
    if (suspects.length === 0 || this.#lackingListed >= MAX_GAPS_LISTED) return;
    for (const lacking of await lackingRows(this.db, this.options.source, candidates, new Set(suspects))) {
      this.#lackingListed++;
      hourOf(this.#hours, lacking.object.key).lacking++;
      this.#note([lackingGap(lacking)]);
    }
  }

  #note(gaps: readonly Gap[]): void {
    this.#objectGaps.push(...gaps.slice(0, MAX_GAPS_LISTED - this.#objectGaps.length));
  }
}

const hourName = (hour: Date): string => hour.toISOString().slice(0, 13);

function hourGap({ hour, loaded, rows }: HourGap): Gap {
  const held = rows === loaded ? "as many, but others" : `${rows}`;
  return {
    kind: "hour_mismatch",
    key: null,
    detail: `${hourName(hour)}: loads brought ${loaded} rows, the table holds ${held}`,
  };
}

const detailsGap = ({ hour, loadedDetails, details }: DetailsGap): Gap => ({
  kind: "details_mismatch",
  key: null,
  detail: `${hourName(hour)}: loads brought the details of ${loadedDetails} events, the table holds ${details}`,
});

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
  const { seal } = await sealOf(db, bucket, folder);
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

function lackingGap({ object: { key }, hours, unreadable }: LackingObject): Gap {
  if (unreadable !== null) return { kind: "unreadable", key, detail: unreadable.message };
  const total = [...hours.values()].reduce((sum, rows) => sum + rows, 0);
  const of = [...hours].map(([hour, rows]) => `${hourName(new Date(hour))}: ${rows}`);
  return {
    kind: "rows_missing",
    key,
    detail: `${total} of its events are not in the table (${of.join(", ")})`,
  };
}

/** Whether one of the hours, in their order, touches the span of the rows of an object, or of those of a sealed folder. */
function mayHoldRows(of: LedgerRow | Seal | undefined, hours: readonly number[]): boolean {
  if (!of) return false;
  const { firstEventAt, lastEventAt } = of;
  const { read, rejected } = "events" in of ? of.events : of;
  if (firstEventAt === null || lastEventAt === null) return read > rejected;
  const from = startOfHour(firstEventAt.getTime());
  const next = hours.find((hour) => hour >= from);
  return next !== undefined && next <= lastEventAt.getTime();
}

interface LedgerRow extends EventCounts {
  readonly etag: string;
  readonly firstEventAt: Date | null;
  readonly lastEventAt: Date | null;
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
       o.expired::float8, o.erased::float8, o.first_event_at AS "firstEventAt", o.last_event_at AS "lastEventAt",
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
    found = {
      hour: name,
      objects: 0,
      loaded: 0,
      missing: 0,
      changed: 0,
      mismatched: 0,
      lacking: 0,
      ...noEvents(),
    };
    hours.set(name, found);
  }
  return found;
}

interface LedgerSums {
  readonly objects: number;
  readonly hours: number;
  readonly pruned: number;
  readonly erased: number;
  readonly sealed: boolean;
}

/** In one statement, and so in one snapshot: a run that commits meanwhile is no mismatch. */
async function ledgerSums(db: Queryable): Promise<LedgerSums> {
  const { rows } = await db.query<LedgerSums>(
    `SELECT ((SELECT coalesce(sum(inserted), 0) FROM etl.objects)
         + (SELECT coalesce(sum(inserted), 0) FROM etl.sealed))::float8 AS objects,
       coalesce(sum(rows) FILTER (WHERE cause IS NULL), 0)::float8 AS hours,
       coalesce(-sum(rows) FILTER (WHERE cause = 'pruned'), 0)::float8 AS pruned,
       coalesce(-sum(rows) FILTER (WHERE cause = 'erased'), 0)::float8 AS erased,
       EXISTS (SELECT FROM etl.sealed) AS sealed FROM etl.loaded_hours`,
  );
  return rows[0] as LedgerSums;
}

/** Rows of a sealed object that a reload brought back are counted with the seal, and again. */
function tableGaps({ objects, hours, sealed }: LedgerSums): Gap[] {
  if (objects === hours || (sealed && objects > hours)) return [];
  const detail = `the ledger counts ${objects} events inserted by object, and ${hours} by hour`;
  return [{ kind: "table_mismatch", key: null, detail }];
}
