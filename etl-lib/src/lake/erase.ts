import type { WarehousePool } from "../load/warehouse.js";
import { EVENT_COLUMNS } from "../types.js";
import { TABLE_COLUMNS } from "./columns.js";
import { idHash } from "./export.js";
import { aloneInLake, type ExportRow, inSnapshot, listExports, recordExport } from "./exports.js";
import { fileLines, replaceFile } from "./lake-file.js";
import { ParquetFile } from "./parquet.js";
import type { LakeStore } from "./store.js";

/** Whose events leave the lake: those of these ids, users or clients. */
export interface Erased {
  readonly eventIds?: ReadonlySet<string>;
  readonly userIds?: ReadonlySet<string>;
  readonly clientIds?: ReadonlySet<string>;
}

export interface LakeErasure {
  readonly files: number;
  readonly rows: number;
  /** False: another process writes the lake, or the time was up. What was done stays, and doing it again does the rest. */
  readonly isComplete: boolean;
}

const ID_COLUMNS = ["event_id", "user_id", "client_id"] as const;
const PLACES = ID_COLUMNS.map((name) => TABLE_COLUMNS.findIndex((column) => column.name === name));

/**
 * Writes the files that hold such events again without them, each as a whole. All files are read, of each but three columns.
 * @param options.dryRun counts and writes nothing
 */
export async function eraseFromLake(
  pool: WarehousePool,
  store: LakeStore,
  erased: Erased,
  options: { readonly dryRun?: boolean; readonly isTimeUp?: () => boolean } = {},
): Promise<LakeErasure> {
  const done = { files: 0, rows: 0, isComplete: false };
  await aloneInLake(pool, async (client) => {
    for (const file of await listExports(client)) {
      if (options.isTimeUp?.()) return;
      const rows = await countErased(store, file, erased);
      if (rows === 0) continue;
      if (!options.dryRun)
        await inSnapshot(client, async () => recordExport(client, await rewrite(store, file, erased)));
      done.files++;
      done.rows += rows;
    }
    done.isComplete = true;
  });
  return done;
}

const isErased = (
  { eventIds, userIds, clientIds }: Erased,
  event: unknown,
  user: unknown,
  client: unknown,
): boolean =>
  eventIds?.has(event as string) || userIds?.has(user as string) || clientIds?.has(client as string) || false;

async function countErased(store: LakeStore, { key }: ExportRow, erased: Erased): Promise<number> {
  let found = 0;
  const file = await ParquetFile.open(await store.open(key));
  for await (const { columns, rows } of file.groups(ID_COLUMNS))
    for (let row = 0; row < rows; row++)
      if (isErased(erased, columns[0]?.[row], columns[1]?.[row], columns[2]?.[row])) found++;
  return found;
}

async function rewrite(store: LakeStore, file: ExportRow, erased: Erased) {
  let ids = BigInt(file.ids);
  let details = file.details;
  const batches = fileLines(store, file.key, (values) => {
    const [event, user, client] = PLACES.map((at) => values[at]);
    if (!isErased(erased, event, user, client)) return true;
    ids -= BigInt(idHash(event as string));
    if (values.slice(EVENT_COLUMNS.length, TABLE_COLUMNS.length).some((value) => value !== null)) details--;
    return false;
  });
  const written = await replaceFile(store, file, batches);
  return { ...file, ...written, ids: String(ids), details };
}
