import { readFile } from "node:fs/promises";
import { rebuildRollups } from "etl-lib";
import pg from "pg";
import { type ConnectionConfig, startPostgres, type TestDatabase } from "../postgres.js";

/** A migrated database without an event. */
export async function emptyWarehouse(): Promise<TestDatabase> {
  const server = await startPostgres();
  return server.createWarehouse();
}

/** The events, runs and rejects of events.sql with their rollups. */
export async function smallShop(): Promise<TestDatabase> {
  const database = await emptyWarehouse();
  await database.pool.query(await readFile(new URL("events.sql", import.meta.url), "utf8"));
  await rebuildRollups(database.pool);
  return database;
}

/** The same database as the dashboard's own role sees it. */
export async function asReader({ pool, config }: TestDatabase): Promise<ConnectionConfig> {
  const password = "reader's \\ password";
  await pool.query(`ALTER ROLE dashboard_reader LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
  return { ...config, user: "dashboard_reader", password };
}
