import { createHash } from "node:crypto";
import type { Queryable } from "./warehouse.js";

/** Shared by every open batch. Any number that no other advisory lock of the warehouse has. */
export const BATCH_LOCK = 7263002;
/** Locks that a batch of many folders may hold. */
const FOLDER_LOCKS = 64;

/**
 * Until the end of the transaction none of `folders` is sealed.
 * @param alone and no other batch is under way
 */
export async function lockForBatch(
  client: Queryable,
  folders: readonly string[],
  alone: boolean,
): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock${alone ? "" : "_shared"}($1)`, [BATCH_LOCK]);
  const locks = [...new Set(folders.map(lockOf))].sort((a, b) => a - b); // in one order: two never wait for each other
  if (locks.length === 0) return;
  await client.query("SELECT pg_advisory_xact_lock_shared($1, lock) FROM unnest($2::int[]) AS t (lock)", [
    BATCH_LOCK,
    locks,
  ]);
}

/** Until the end of the transaction no batch with something of the folder is under way. */
export async function lockFolder(client: Queryable, folder: string): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock($1, $2)", [BATCH_LOCK, lockOf(folder)]);
}

const lockOf = (folder: string): number =>
  createHash("md5").update(folder).digest().readUInt8() % FOLDER_LOCKS;
