import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { createSsmClient } from "../../functions/etl/clients.js";
import {
  type Env,
  readAwsEnvironment,
  readWarehouseEnvironment,
  type WarehouseEnvironment,
} from "../../functions/etl/environment.js";
import { createPool, readSecrets, type WarehouseSecrets } from "../../functions/etl/warehouse.js";
import { answers, COMPOSE } from "./compose.js";
import type { Connection } from "./connection.js";
import { openEmbedded } from "./embedded.js";
import { TargetError } from "./errors.js";
import { explainConnectionError } from "./explain.js";

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

export const PROJECT_ROOT = fileURLToPath(new URL("../../", import.meta.url));
const END_POOL_MS = 3_000;
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

/** Adds what `.env` says to `process.env`; a variable that is set already wins. */
export function loadDotEnv(root = PROJECT_ROOT): void {
  const file = join(root, ".env");
  if (existsSync(file)) process.loadEnvFile(file);
}

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
  const { root = PROJECT_ROOT, compose = COMPOSE } = options;
  if (options.env === undefined) loadDotEnv(root);
  const env = options.env ?? process.env;
  if (namesDatabase(env)) return openOwn(env, options);
  if (await answers(compose)) {
    const description = `PostgreSQL of docker-compose.yml, ${compose.host}:${compose.port}`;
    return asTarget(compose, description, options);
  }
  return openEmbeddedTarget(join(root, EMBEDDED_FOLDER), options);
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
