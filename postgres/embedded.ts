import { setTimeout as sleep } from "node:timers/promises";
import { type PgFault, pgFault } from "etl-lib";
import pg from "pg";
import { type Connection, queryOnce } from "../connect/connection.js";
import { TargetError } from "../connect/errors.js";
import { choosePort, LOOPBACK } from "../connect/local-port.js";
import { type Cluster, openCluster } from "./cluster.js";
import { findServer, type Settings, startServer, stopServer } from "./server.js";

/** The embedded server, running, with this process's claim on it. */
export interface EmbeddedServer {
  readonly connection: Connection;
  /** The last one out stops the server. */
  close(): Promise<void>;
}

export const PREFERRED_PORT = 54_329;

/** For a developer's machine: room for bulk loads, and every commit still survives a crash. */
const SETTINGS: Settings = {
  shared_buffers: "256MB",
  work_mem: "32MB",
  maintenance_work_mem: "256MB",
  max_wal_size: "4GB",
  checkpoint_timeout: "15min",
  random_page_cost: "1.1",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
};

const PATIENCE_MS = 90_000;
/** A start can fail because another command's was first, or because a killed server's children are not gone yet. */
const START_PATIENCE_MS = 15_000;
const POLL_MS = 100;
/** The server is starting, stopping, or was stopped under the connection. */
const TRANSIENT: readonly PgFault[] = ["starting", "lost", "unreachable"];
/** Any constant that nothing else on the embedded server locks. */
const GATE = 5_432_018;

/**
 * Joins the server that runs on the folder's cluster, or makes the cluster and starts one.
 *
 * @throws {TargetError}
 */
export async function openEmbedded(folder: string, database: string): Promise<EmbeddedServer> {
  const cluster = openCluster(folder);
  const { lease, port } = await enter(cluster);
  const connection: Connection = {
    host: LOOPBACK,
    port,
    user: cluster.superuser,
    password: cluster.password,
    database,
    ssl: "disable",
    ca: null,
  };
  const close = () => leave(cluster, lease);
  try {
    await createDatabase(connection);
  } catch (error) {
    await close();
    throw error;
  }
  return { connection, close };
}

async function enter(cluster: Cluster): Promise<{ lease: Lease; port: number }> {
  const began = Date.now();
  while (Date.now() - began < PATIENCE_MS) {
    const server = findServer(cluster);
    if (server === null) {
      await start(cluster, began);
    } else {
      const lease = await takeLease(cluster, server.port).catch(ignoreTransient);
      if (lease !== null) return { lease, port: server.port };
    }
    await sleep(POLL_MS);
  }
  throw new TargetError(`The embedded PostgreSQL does not get ready: see ${cluster.logFile}.`);
}

async function start(cluster: Cluster, began: number): Promise<void> {
  try {
    await startServer(cluster, await choosePort(PREFERRED_PORT), SETTINGS);
  } catch (error) {
    if (findServer(cluster) === null && Date.now() - began > START_PATIENCE_MS) throw error;
  }
}

async function leave(cluster: Cluster, lease: Lease): Promise<void> {
  try {
    if (await lease.release()) await stopServer(cluster);
  } catch (error) {
    if (error instanceof TargetError) throw error;
    // The connection was lost: the server crashed or was restarted. Whoever is in it now stops it.
  } finally {
    await lease.end();
  }
}

function ignoreTransient(error: unknown): null {
  if (TRANSIENT.includes(pgFault(error))) return null;
  throw new TargetError(`The embedded PostgreSQL cannot be used: ${String(error)}.`, { cause: error });
}

async function createDatabase(connection: Connection): Promise<void> {
  const server = { ...connection, database: "postgres" };
  const { database } = connection;
  const exists = async () => {
    const { rows } = await queryOnce(server, "SELECT datname FROM pg_database");
    return rows.some((row) => row.datname === database);
  };
  if (await exists()) return;
  try {
    await queryOnce(server, `CREATE DATABASE "${database.replaceAll('"', '""')}"`);
  } catch (error) {
    if (!(await exists())) throw error; // another command was first
  }
}

/**
 * A command's claim on the embedded server: a connection that holds a shared advisory lock. The server drops it with
 * the connection, so a command that was killed leaves no claim behind.
 */
interface Lease {
  /**
   * Gives the claim up.
   *
   * @returns whether it was the last one. If so the gate stays locked, so that nobody comes in, until the server stops.
   */
  release(): Promise<boolean>;
  /** Disconnects. */
  end(): Promise<void>;
}

/** @throws what the driver throws: the server is starting, stopping or gone */
async function takeLease(cluster: Cluster, port: number): Promise<Lease> {
  const client = new pg.Client({
    host: LOOPBACK,
    port,
    user: cluster.superuser,
    password: cluster.password,
    database: "postgres",
    application_name: "etl:local lease",
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  });
  client.on("error", () => {}); // the server may be restarted meanwhile
  try {
    await client.connect();
    // Blocks while the last one out stops the server, and then fails with it.
    await client.query("SELECT pg_advisory_lock_shared($1)", [GATE]);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  return {
    release: async () => {
      await client.query("SELECT pg_advisory_unlock_shared($1)", [GATE]);
      const { rows } = await client.query("SELECT pg_try_advisory_lock($1) AS last", [GATE]);
      return rows[0]?.last === true;
    },
    end: () => client.end().catch(() => {}),
  };
}
