import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pgFault } from "etl-lib";
import type pg from "pg";
import { type Connection, queryOnce } from "../../connect/connection.js";
import {
  type Env,
  readAwsEnvironment,
  readWarehouseEnvironment,
  type WarehouseEnvironment,
} from "../../connect/environment.js";
import { TargetError } from "../../connect/errors.js";
import { explainConnectionError } from "../../connect/explain.js";
import { createPool, type WarehouseSecrets } from "../../connect/warehouse.js";
import { openEmbedded } from "../../postgres/embedded.js";
import { environment, WORK_FOLDER } from "./project.js";

/** The database in force, ready for use. */
export interface Target {
  readonly pool: pg.Pool;
  /** Which one was taken, for people: e.g. "embedded PostgreSQL 18 in .local/postgres, port 54329". */
  readonly description: string;
  readonly connection: Connection;
  /** Closes the pool and, when it is embedded and nobody else uses it, stops the server. Once, however often called. */
  close(): Promise<void>;
}

export interface TargetOptions {
  /** @default the process's environment with what `.env` adds to it */
  readonly env?: Env;
  /** Holds `.env` and `.local/`. @default the project's folder */
  readonly root?: string;
  /** The server to try before the embedded one. @default that of docker-compose.yml */
  readonly compose?: Connection;
  /** Shown in `pg_stat_activity`. @default etl:local */
  readonly applicationName?: string;
  /** Connections at most. @default 8 */
  readonly poolSize?: number;
}

/** The server of docker-compose.yml; a test compares the two. */
export const COMPOSE: Connection = {
  host: "localhost",
  port: 5432,
  user: "clickstream",
  password: "clickstream",
  database: "clickstream_dw",
  ssl: "disable",
  ca: null,
};

const PROBE_MS = 2_000;
const STARTUP_MS = 15_000;
const END_POOL_MS = 300;
const EMBEDDED_FOLDER = join(".local", "postgres");
/** Any of them set means: this database and no other. */
const OWN_DATABASE_KEYS = [
  "DWH_HOST",
  "DWH_PORT",
  "DWH_USER",
  "DWH_PASSWORD",
  "DWH_PASSWORD_PARAMETER",
  "DWH_DATABASE",
];

/** Whether the environment names a database, so that no other is looked for. */
export function namesDatabase(env: Env): boolean {
  return OWN_DATABASE_KEYS.some((key) => (env[key] ?? "") !== "");
}

/**
 * Opens, in this order: the database of the `DWH_*` keys; the server of docker-compose.yml when it answers; the
 * embedded PostgreSQL in `.local/postgres`.
 *
 * @throws {TargetError | EnvironmentError | LoadError} one sentence that names the setting
 */
export async function openTarget(options: TargetOptions = {}): Promise<Target> {
  const { root = WORK_FOLDER, compose = COMPOSE } = options;
  const env = options.env ?? environment(root);
  if (namesDatabase(env)) return openOwn(env, options);
  if (await answers(compose)) {
    const description = `PostgreSQL of docker-compose.yml, ${compose.host}:${compose.port}`;
    return asTarget(compose, description, options);
  }
  return openEmbeddedTarget(join(root, EMBEDDED_FOLDER), options);
}

/** Whether the server is up and takes these credentials. One that is just starting is waited for. */
async function answers(connection: Connection): Promise<boolean> {
  const deadline = Date.now() + STARTUP_MS;
  for (;;) {
    try {
      await queryOnce(connection, "SELECT 1", PROBE_MS);
      return true;
    } catch (error) {
      if (pgFault(error) !== "starting" || Date.now() > deadline) return false;
      await sleep(250);
    }
  }
}

async function openOwn(env: Env, options: TargetOptions): Promise<Target> {
  const warehouse = readWarehouseEnvironment(env);
  const secrets = await readSecretsOf(warehouse, env);
  const { host, port, user, database, ssl } = warehouse;
  const connection = { host, port, user, database, ssl, ...secrets };
  const target = asTarget(connection, `database ${database} at ${host}:${port} (DWH_* settings)`, options);
  try {
    await target.pool.query("SELECT 1");
  } catch (cause) {
    await target.close();
    throw new TargetError(explainConnectionError(cause, connection), { cause });
  }
  return target;
}

async function readSecretsOf(warehouse: WarehouseEnvironment, env: Env): Promise<WarehouseSecrets> {
  const { password, sslCaParameter } = warehouse;
  if ("value" in password && sslCaParameter === null) return { password: password.value, ca: null };
  const [{ createSsmClient }, { readSecrets }] = await Promise.all([
    import("../../connect/clients.js"),
    import("../../connect/secrets.js"),
  ]);
  return readSecrets(warehouse, createSsmClient(readAwsEnvironment(env)));
}

async function openEmbeddedTarget(folder: string, options: TargetOptions): Promise<Target> {
  const server = await openEmbedded(folder, COMPOSE.database);
  const { port } = server.connection;
  const place = relative(process.cwd(), folder) || folder;
  const description = `embedded PostgreSQL 18 in ${place.startsWith("..") ? folder : place}, port ${port}`;
  return asTarget(server.connection, description, options, server.close);
}

function asTarget(
  connection: Connection,
  description: string,
  { applicationName = "etl:local", poolSize = 8 }: TargetOptions,
  closeServer: () => Promise<void> = async () => {},
): Target {
  const { password, ca, ...place } = connection;
  const warehouse = { ...place, password: { value: password }, sslCaParameter: null };
  const pool = createPool(warehouse, { password, ca }, { applicationName, max: poolSize });
  let closing: Promise<void> | null = null;
  const close = () => {
    closing ??= endPool(pool).then(closeServer);
    return closing;
  };
  return { pool, description, connection, close };
}

/** A pool ends when its last query does; on Ctrl-C that is not waited for longer than this. */
async function endPool(pool: pg.Pool): Promise<void> {
  await Promise.race([pool.end(), sleep(END_POOL_MS, undefined, { ref: false })]);
}
