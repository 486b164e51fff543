import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import pg from "pg";
import type { SslMode } from "./environment.js";

/** How to reach a database. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl: SslMode;
  /** PEM of the certificate that `verify-full` trusts; null means the authorities that Node trusts. */
  readonly ca: string | null;
}

/** The part of a connection that suffices where there is no TLS. */
export type PlainConnection = Omit<Connection, "ssl" | "ca">;

/**
 * Connects once, without TLS, runs the query, and disconnects.
 *
 * @param timeoutMs for the connection @default 10 s
 * @throws what the driver throws
 */
export async function queryOnce(
  { host, port, user, password, database }: PlainConnection,
  sql: string,
  timeoutMs = 10_000,
): Promise<pg.QueryResult> {
  const place = { host, port, user, password, database };
  const client = new pg.Client({ ...place, ssl: false, connectionTimeoutMillis: timeoutMs });
  client.on("error", () => {});
  try {
    await client.connect();
    return await client.query(sql);
  } finally {
    await client.end().catch(() => {});
  }
}

/** A connection as libpq's environment, for psql and R: no list of processes shows it. */
export interface LibpqEnvironment {
  readonly env: NodeJS.ProcessEnv;
  /** Removes the file with the certificate, if there is one. */
  remove(): void;
}

/** The same trust as this process has, whatever the version of libpq (its `system` needs 16) and wherever a system keeps its authorities. */
export function libpqEnvironment(connection: Connection): LibpqEnvironment {
  const env = {
    PGHOST: connection.host,
    PGPORT: `${connection.port}`,
    PGUSER: connection.user,
    PGPASSWORD: connection.password,
    PGDATABASE: connection.database,
    PGSSLMODE: connection.ssl,
  };
  if (connection.ssl !== "verify-full") return { env, remove() {} };
  const folder = mkdtempSync(join(tmpdir(), "clickstream-ca-"));
  const file = join(folder, "ca.pem");
  writeFileSync(file, connection.ca ?? trustedByNode().join("\n"));
  return {
    env: { ...env, PGSSLROOTCERT: file },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** With those of NODE_EXTRA_CA_CERTS where Node can tell (from 22.15 on). */
const trustedByNode = (): readonly string[] => tls.getCACertificates?.("default") ?? tls.rootCertificates;
