import pg from "pg";
import type { SslMode } from "../../functions/etl/environment.js";

/** How to reach a database. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl: SslMode;
  /** PEM of the certificate that `verify-full` trusts; null means the system's authorities. */
  readonly ca: string | null;
}

/**
 * Connects once, runs the query, and disconnects.
 *
 * @param timeoutMs for the connection @default 10 s
 * @throws what the driver throws
 */
export async function queryOnce(
  connection: Pick<Connection, "host" | "port" | "user" | "password" | "database">,
  sql: string,
  timeoutMs = 10_000,
): Promise<pg.QueryResult> {
  const { host, port, user, password, database } = connection;
  const client = new pg.Client({
    host,
    port,
    user,
    password,
    database,
    ssl: false,
    connectionTimeoutMillis: timeoutMs,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return await client.query(sql);
  } finally {
    await client.end().catch(() => {});
  }
}

/** SQLSTATE or system code of a driver's error; empty when it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
