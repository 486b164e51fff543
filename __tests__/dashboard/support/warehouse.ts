import { readFile } from "node:fs/promises";
import { migrate } from "etl-lib";
import { rebuildRollups } from "../../../etl-lib/src/load/rollups.js";
import { startPostgres, type TestDatabase } from "../../helpers/postgres.js";

/** A migrated database without an event. */
export async function emptyWarehouse(): Promise<TestDatabase> {
  const server = await startPostgres();
  const database = await server.createDatabase();
  await migrate(database.pool);
  return database;
}

/** The events, runs and rejects of events.sql with their rollups. */
export async function smallShop(): Promise<TestDatabase> {
  const database = await emptyWarehouse();
  await database.pool.query(await readFile(new URL("events.sql", import.meta.url), "utf8"));
  await rebuildRollups(database.pool);
  return database;
}
