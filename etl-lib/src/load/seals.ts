import { createHash } from "node:crypto";
import { folderOf } from "../extract/units.js";
import type { EventCounts, SourceObject } from "../types.js";
import type { Queryable } from "./warehouse.js";

/** What the ledger holds of a folder once it is sealed. */
export interface Seal {
  readonly objects: number;
  /** See {@link Fingerprint}. */
  readonly fingerprint: bigint;
  /** Of the rows that were folded. */
  readonly events: EventCounts;
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

/** The seal of a folder; null when it is not sealed, or is being read again. */
export async function sealOf(db: Queryable, bucket: string, folder: string): Promise<Seal | null> {
  const { rows } = await db.query<EventCounts & { objects: number; fingerprint: string }>(
    `SELECT objects::float8, fingerprint, read::float8, inserted::float8, duplicates::float8, 0 AS rejected,
       expired::float8, erased::float8 FROM etl.sealed
     WHERE bucket = $1 AND prefix = $2 AND fingerprint IS NOT NULL`,
    [bucket, folder],
  );
  if (!rows[0]) return null;
  const { objects, fingerprint, ...events } = rows[0];
  return { objects, fingerprint: BigInt(fingerprint), events };
}

/** The folder is read again: from now on its objects are those of the ledger's own rows, and the next seal is of them. */
export async function breakSeal(db: Queryable, bucket: string, folder: string): Promise<void> {
  await db.query(
    "UPDATE etl.sealed SET fingerprint = NULL, objects = 0, bytes = 0 WHERE bucket = $1 AND prefix = $2",
    [bucket, folder],
  );
}

/** The keys of a folder, $2, in byte order: in a day's own, not those in its other folders. */
const IN_FOLDER = `bucket = $1 AND key >= $2 AND key < left($2, -1) || '0'
  AND (length($2) > ${"events/2025/12/06/".length} OR strpos(substr(key, length($2) + 1), '/') = 0)`;

/**
 * Folds the ledger's rows of a folder into one. Rows with rejects stay, so that single objects can be read again after a
 * fix; so do their counts. What was loaded again since the last seal adds its counts alone, for its objects are in that
 * seal already.
 * @returns rows folded
 */
export async function sealFolder(db: Queryable, bucket: string, folder: string): Promise<number> {
  const { rows } = await db.query<{ rows: number }>(
    `WITH version AS MATERIALIZED (
       SELECT etag, key, size, row_number() OVER (PARTITION BY key ORDER BY last_modified DESC, loaded_at DESC) AS age
       FROM etl.objects WHERE ${IN_FOLDER}
     ), gone AS (
       DELETE FROM etl.objects WHERE ${IN_FOLDER} AND rejected = 0 RETURNING read, inserted, duplicates, expired, erased
     ), newest AS (
       SELECT count(*) AS objects, coalesce(sum(size), 0) AS bytes,
         coalesce(bit_xor(('x' || left(md5(etag || ' ' || key), 16))::bit(64)::bigint), 0) AS fingerprint
       FROM version WHERE age = 1
     ), folded AS (
       SELECT count(*) AS rows, sum(read) AS read, sum(inserted) AS inserted, sum(duplicates) AS duplicates,
         sum(expired) AS expired, sum(erased) AS erased FROM gone
     ), sealed AS (
       INSERT INTO etl.sealed AS s (bucket, prefix, objects, bytes, fingerprint, read, inserted, duplicates, expired, erased)
       SELECT $1, $2, objects, bytes, fingerprint, read, inserted, duplicates, expired, erased FROM newest, folded WHERE rows > 0
       ON CONFLICT (bucket, prefix) DO UPDATE SET
         objects = CASE WHEN s.fingerprint IS NULL THEN excluded.objects ELSE s.objects END,
         bytes = CASE WHEN s.fingerprint IS NULL THEN excluded.bytes ELSE s.bytes END,
         fingerprint = coalesce(s.fingerprint, excluded.fingerprint),
         read = s.read + excluded.read, inserted = s.inserted + excluded.inserted,
         duplicates = s.duplicates + excluded.duplicates, expired = s.expired + excluded.expired,
         erased = s.erased + excluded.erased, sealed_at = now()
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
