import { LoadError } from "../errors.js";
import { assertEventTable } from "./event-table.js";
import { type Migration, readMigrations } from "./migrations.js";
import { toLoadError } from "./pg-errors.js";
import { inTransaction, type Queryable, type WarehouseClient, type WarehousePool } from "./warehouse.js";

/** The same number on the warehouse host, whose script applies the same files. */
const MIGRATION_LOCK = 7263001;

/**
 * Applies what is not applied yet, each file in a transaction of its own. Two at once wait for each other.
 * @returns the names of the files applied now
 * @throws {LoadError} fatal, when an applied file was changed afterwards or the role may not change the schema
 */
export async function migrate(
  pool: WarehousePool,
  migrations: readonly Migration[] = readMigrations(),
): Promise<string[]> {
  try {
    await assertServer(pool);
    if ((await pendingMigrations(pool, migrations)).length === 0) return [];
    const applied: string[] = [];
    for (const migration of migrations)
      if (await inTransaction(pool, (client) => applyOnce(client, migration))) applied.push(migration.name);
    return applied;
  } catch (error) {
    throw toLoadError(error);
  }
}

/** What `migrate` would apply. @throws {LoadError} fatal, when an applied file was changed afterwards */
export async function pendingMigrations(db: Queryable, wanted: readonly Migration[]): Promise<Migration[]> {
  const { rows: exists } = await db.query(`SELECT to_regclass('etl.migrations') IS NOT NULL AS there`);
  if (!exists[0].there) return [...wanted];
  const { rows } = await db.query<{ version: number; checksum: string }>(
    "SELECT version, checksum FROM etl.migrations",
  );
  const applied = new Map(rows.map(({ version, checksum }) => [version, checksum]));
  for (const { version, name, checksum } of wanted)
    if ((applied.get(version) ?? checksum) !== checksum)
      throw new LoadError(
        "fatal",
        `The migration ${name} was changed after it was applied: add a new one instead.`,
      );
  return wanted.filter(({ version }) => !applied.has(version));
}

async function applyOnce(
  client: WarehouseClient,
  { version, name, checksum, sql }: Migration,
): Promise<boolean> {
  await client.query("SET LOCAL statement_timeout = 0"); // a change of a large table takes as long as it takes
  await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
  await client.query(`CREATE SCHEMA IF NOT EXISTS etl;
    CREATE TABLE IF NOT EXISTS etl.migrations (
      version int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
  const { rowCount } = await client.query(
    "INSERT INTO etl.migrations (version, name, checksum) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    [version, name, checksum],
  );
  if (rowCount === 0) return false;
  await client.query(sql);
  return true;
}

/** `old` and `new` in RETURNING, and MERGE that returns rows: what the loader and the rollups are written with. */
const MIN_SERVER = 18;

/** @throws {LoadError} fatal, before anything is written to a server that is too old */
async function assertServer(db: Queryable): Promise<void> {
  const { rows } = await db.query<{ version: string }>("SELECT current_setting('server_version') AS version");
  const version = rows[0]?.version ?? "";
  if (Number.parseInt(version, 10) < MIN_SERVER)
    throw new LoadError(
      "fatal",
      `The warehouse is PostgreSQL ${version}, and this needs ${MIN_SERVER} or newer: check DWH_HOST and DWH_PORT, or upgrade the server. Nothing was written.`,
    );
}

/**
 * Whether the warehouse is the one this version loads into.
 * @throws {LoadError} fatal, naming the migration that is missing or the column that differs
 */
export async function assertSchema(db: Queryable): Promise<void> {
  await assertServer(db);
  const pending = await pendingMigrations(db, readMigrations());
  if (pending.length > 0)
    throw new LoadError(
      "fatal",
      `The warehouse lacks the migration ${pending[0]?.name}: run \`npm run etl:local -- migrate\` as its owner (the host applies new ones every five minutes).`,
    );
  await assertEventTable(db);
}
