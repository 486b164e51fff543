import pg from "pg";
import type { Cluster } from "./cluster.js";
import { LOOPBACK } from "./server.js";

/** Any constant that nothing else on the embedded server locks. */
const GATE = 5_432_018;

/**
 * A command's claim on the embedded server: a connection that holds a shared advisory lock. The server drops it with
 * the connection, so a command that was killed leaves no claim behind.
 */
export interface Lease {
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
export async function takeLease(cluster: Cluster, port: number): Promise<Lease> {
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
