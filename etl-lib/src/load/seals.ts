import { createHash } from "node:crypto";
import { folderOf } from "../extract/units.js";
import type { EventCounts, SourceObject } from "../types.js";
import { lockFolder } from "./batch-lock.js";
import { inTransaction, type Queryable, type WarehousePool } from "./warehouse.js";

/** What the ledger holds of a folder once it is sealed. */
export interface Seal {
  readonly objects: number;
  /** See {@link Fingerprint}. */
  readonly fingerprint: bigint;
  /** Of the rows that were folded. */
  readonly events: EventCounts;
  /** Of the events in them; null: unknown, or there are none. */
  readonly firstEventAt: Date | null;
  readonly lastEventAt: Date | null;
}

/** How a folder stands in the ledger. */
export interface SealState {
  /** How often it was sealed. */
  readonly version: number;
  /** Null when it is not sealed, or is being read again. */
  readonly seal: Seal | null;
}

/** Of a set of object versions, whatever their order: the XOR of the first 64 bits of each one's MD5. */
export class Fingerprint {
  objects = 0;
  #high = 0;
  #low = 0;

  add({ key, etag }: Pick<SourceObject, "key" | "etag">): void {
    const digest = createHash("md5").update(`${etag} ${key}`).digest();
    this.#high ^= digest.readInt32BE(0);
    this.#low ^= digest.readInt32BE(4);
    this.objects++;
  }

  get value(): bigint {
    return (BigInt(this.#high) << 32n) | BigInt(this.#low >>> 0);
  }

  equals(seal: Seal): boolean {
    return seal.objects === this.objects && seal.fingerprint === this.value;
  }
}

export async function sealOf(db: Queryable, bucket: string, folder: string): Promise<SealState> {
  const { rows } = await db.query<SealRow>(
    `SELECT version, objects::float8, fingerprint, read::float8, inserted::float8, duplicates::float8, 0 AS rejected,
       expired::float8, erased::float8, first_event_at AS "firstEventAt", last_event_at AS "lastEventAt"
     FROM etl.sealed WHERE bucket = $1 AND prefix = $2`,
    [bucket, folder],
  );
  if (!rows[0]) return { version: 0, seal: null };
  const { version, objects, fingerprint, firstEventAt, lastEventAt, ...events } = rows[0];
  if (fingerprint === null) return { version, seal: null };
  return { version, seal: { objects, fingerprint: BigInt(fingerprint), events, firstEventAt, lastEventAt } };
}

interface SealRow extends EventCounts, Pick<Seal, "objects" | "firstEventAt" | "lastEventAt"> {
  readonly version: number;
  readonly fingerprint: string | null;
}

/**
 * Of `objects`, by their index, those whose folder was sealed after it was listed: the ledger has no row that says of one
 * whether it was loaded meanwhile.
 * @param seen how often the folders had been sealed when they were listed
 */
export async function sealedMeanwhile(
  db: Queryable,
  objects: readonly SourceObject[],
  seen: ReadonlyMap<string, number>,
): Promise<Set<number>> {
  const known = foldersOf(objects).filter((folder) => seen.has(folder));
  if (known.length === 0) return new Set();
  const { rows } = await db.query<{ prefix: string; version: number }>(
    "SELECT prefix, version FROM etl.sealed WHERE bucket = $1 AND prefix = ANY ($2)",
    [objects[0]?.bucket, known],
  );
  const sealed = new Set(
    rows.filter(({ prefix, version }) => seen.get(prefix) !== version).map(({ prefix }) => prefix),
  );
  return new Set(
    [...objects.keys()].filter((index) => sealed.has(folderOf(objects[index]?.key ?? "") ?? "")),
  );
}

/** The folders that objects are sealed with. */
export const foldersOf = (objects: readonly SourceObject[]): string[] => [
  ...new Set(objects.map(({ key }) => folderOf(key)).filter((folder) => folder !== null)),
];

/**
 * The folder is read again: from now on its objects are those of the ledger's own rows, and the next seal is of them. One
 * that was sealed again meanwhile stays sealed.
 */
export async function breakSeal(
  db: Queryable,
  bucket: string,
  folder: string,
  version: number,
): Promise<void> {
  await db.query(
    "UPDATE etl.sealed SET fingerprint = NULL, objects = 0, bytes = 0 WHERE bucket = $1 AND prefix = $2 AND version = $3",
    [bucket, folder, version],
  );
}

/** The keys of a folder, $2, in byte order: in a day's own, not those in its other folders. */
const IN_FOLDER = `bucket = $1 AND key >= $2 AND key < left($2, -1) || '0'
  AND (length($2) > ${"events/2025/12/06/".length} OR strpos(substr(key, length($2) + 1), '/') = 0)`;

/** A batch takes seconds. */
const LONGEST_LOCK_WAIT = "15s";

/**
 * Folds the ledger's rows of a folder into one, while no batch of it is under way: one that commits later would be missing
 * in the fingerprint. Rows with rejects stay, so that single objects can be read again after a fix; so do their counts. What was
 * loaded again since the last seal adds its counts alone, for its objects are in that seal already.
 * @returns rows folded
 */
export function sealFolder(pool: WarehousePool, bucket: string, folder: string): Promise<number> {
  return inTransaction(pool, async (client) => {
    await client.query(`SET LOCAL lock_timeout = '${LONGEST_LOCK_WAIT}'`);
    await lockFolder(client, folder);
    return fold(client, bucket, folder);
  });
}

async function fold(db: Queryable, bucket: string, folder: string): Promise<number> {
  const { rows } = await db.query<{ rows: number }>(
    `WITH version AS MATERIALIZED (
       SELECT etag, key, size, row_number() OVER (PARTITION BY key ORDER BY last_modified DESC, loaded_at DESC) AS age
       FROM etl.objects WHERE ${IN_FOLDER}
     ), gone AS (
       DELETE FROM etl.objects WHERE ${IN_FOLDER} AND rejected = 0
       RETURNING read, inserted, duplicates, expired, erased, first_event_at, last_event_at
     ), newest AS (
       SELECT count(*) AS objects, coalesce(sum(size), 0) AS bytes,
         coalesce(bit_xor(('x' || left(md5(etag || ' ' || key), 16))::bit(64)::bigint), 0) AS fingerprint
       FROM version WHERE age = 1
     ), folded AS (
       SELECT count(*) AS rows, sum(read) AS read, sum(inserted) AS inserted, sum(duplicates) AS duplicates,
         sum(expired) AS expired, sum(erased) AS erased,
         min(first_event_at) AS first_event_at, max(last_event_at) AS last_event_at FROM gone
     ), sealed AS (
       INSERT INTO etl.sealed AS s (bucket, prefix, objects, bytes, fingerprint, read, inserted, duplicates, expired, erased,
         first_event_at, last_event_at)
       SELECT $1, $2, objects, bytes, fingerprint, read, inserted, duplicates, expired, erased, first_event_at, last_event_at
       FROM newest, folded WHERE rows > 0
       ON CONFLICT (bucket, prefix) DO UPDATE SET
         objects = CASE WHEN s.fingerprint IS NULL THEN excluded.objects ELSE s.objects END,
         bytes = CASE WHEN s.fingerprint IS NULL THEN excluded.bytes ELSE s.bytes END,
         fingerprint = coalesce(s.fingerprint, excluded.fingerprint),
         read = s.read + excluded.read, inserted = s.inserted + excluded.inserted,
         duplicates = s.duplicates + excluded.duplicates, expired = s.expired + excluded.expired,
         erased = s.erased + excluded.erased, sealed_at = now(), version = s.version + 1,
         first_event_at = least(s.first_event_at, excluded.first_event_at),
         last_event_at = greatest(s.last_event_at, excluded.last_event_at)
     )
     SELECT rows::float8 FROM folded`,
    [bucket, folder],
  );
  return rows[0]?.rows ?? 0;
}

/** The next folder with something to fold behind `last`, and a key in it. @param end the first day that is not sealed */
export async function nextToSeal(
  db: Queryable,
  bucket: string,
  last: string,
  end: string,
): Promise<{ readonly key: string; readonly folder: string } | null> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT key FROM etl.objects WHERE bucket = $1 AND key > $2 AND key < $3 AND rejected = 0
       AND key ~ '^events/\\d{4}/\\d{2}/\\d{2}/' ORDER BY key LIMIT 1`,
    [bucket, last, end],
  );
  const key = rows[0]?.key;
  const folder = key === undefined ? null : folderOf(key);
  return key !== undefined && folder !== null ? { key, folder } : null;
}
