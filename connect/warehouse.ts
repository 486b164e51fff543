import { checkServerIdentity } from "node:tls";
import { type PgFault, pgFault, type WarehouseClient, type WarehousePool } from "etl-lib";
import pg from "pg";
import type { WarehouseEnvironment } from "./environment.js";

/** What is read at run time, so that neither the function's configuration nor Terraform's state holds it. */
export interface WarehouseSecrets {
  readonly password: string;
  /** PEM of the certificate to trust; null means the system's authorities. */
  readonly ca: string | null;
}

export interface PoolOptions {
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Connections at most. @default 4 */
  readonly max?: number;
}

const SECOND = 1_000;
/** A server that is only busy answers in this time; one that has gone without a word never does. */
const PING_MS = 5 * SECOND;
const REFUSALS: readonly PgFault[] = ["login", "pg-hba", "certificate"];

/** A new password is in its parameter some minutes before PostgreSQL has it: so long the previous one holds. */
export type PasswordVersion = "newest" | "previous";

/** A pool on the warehouse; nothing is connected yet. */
export function createPool(
  warehouse: WarehouseEnvironment,
  secrets: WarehouseSecrets,
  options: PoolOptions,
): pg.Pool {
  const pool = new LivePool({
    host: warehouse.host,
    port: warehouse.port,
    user: warehouse.user,
    database: warehouse.database,
    password: secrets.password,
    ssl: tlsOptions(warehouse, secrets),
    application_name: options.applicationName,
    max: options.max ?? 4,
    connectionTimeoutMillis: 10 * SECOND,
    keepAlive: true,
    statement_timeout: 5 * 60 * SECOND,
    // A function that is killed inside a transaction must not keep its claims on the ledger for hours.
    idle_in_transaction_session_timeout: 2 * 60 * SECOND,
  });
  // An idle connection that breaks (a restart, a thaw) is replaced by the next connect; unheard, it would end the process.
  pool.on("error", () => {});
  // So would one that breaks while it is lent and no query runs.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/**
 * Lends only connections that answer. One that the server ended while it was idle (a restart, a failover, a function
 * that was frozen) may be lent before the driver has read that it is over: it is thrown away, and the next one taken.
 */
class LivePool extends pg.Pool {
  readonly #used = new WeakSet<pg.PoolClient>();

  constructor(config: pg.PoolConfig) {
    super(config);
    this.on("release", (_error, client) => this.#used.add(client));
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Lent): void;
  override connect(callback?: Lent): Promise<pg.PoolClient> | undefined {
    const lent = this.#lend();
    if (!callback) return lent;
    lent.then(
      (client) => callback(undefined, client, client.release),
      (error) => callback(error, undefined, () => {}),
    );
  }

  /** Comes to an end: a connection that does not answer leaves the pool, and a new one is not asked. */
  async #lend(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await super.connect();
      if (!this.#used.has(client) || (await answers(client))) return client;
      client.release(true);
    }
  }
}

type Lent = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: boolean | Error) => void,
) => void;

async function answers(client: pg.PoolClient): Promise<boolean> {
  const ping = { text: "SELECT 1", query_timeout: PING_MS };
  return client.query(ping).then(
    () => true,
    () => false,
  );
}

function tlsOptions(warehouse: WarehouseEnvironment, { ca }: WarehouseSecrets): pg.PoolConfig["ssl"] {
  if (warehouse.ssl === "disable") return false;
  if (warehouse.ssl === "require") return { rejectUnauthorized: false };
  return {
    rejectUnauthorized: true,
    // Without a host name (an IP address) node would check the certificate against "localhost".
    checkServerIdentity: (_name, certificate) => checkServerIdentity(warehouse.host, certificate),
    ...(ca === null ? {} : { ca }),
  };
}

/** Whether other secrets might help: the password or the certificate was refused. */
const isRefused = (error: unknown): boolean => REFUSALS.includes(pgFault(error));

/**
 * A pool that outlives a change of password or certificate: when either is refused, both are read again and a new pool
 * takes the place of the old; when that is refused too, one with the previous password.
 */
export class RenewingPool implements WarehousePool {
  #pool: Promise<pg.Pool> | null = null;

  constructor(private readonly open: (version: PasswordVersion) => Promise<pg.Pool>) {}

  /** Reads the secrets unless that is done, so that a fault there is not taken for the warehouse's. */
  async prepare(): Promise<void> {
    await this.#current();
  }

  /** @throws what `open` throws, or the refusal when the previous password is refused too */
  async connect(): Promise<WarehouseClient> {
    const current = this.#current();
    const pool = await current;
    try {
      return await pool.connect();
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
    const renewed = this.#renewed(current, "newest");
    try {
      return await (await renewed).connect();
    } catch (error) {
      if (pgFault(error) !== "login") throw error;
      return (await this.#renewed(renewed, "previous")).connect();
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: the rows of a query are what its SQL says
  async query<Row = any>(
    text: string,
    values?: unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }> {
    const client = await this.connect();
    try {
      return await client.query<Row>(text, values);
    } finally {
      client.release();
    }
  }

  async end(): Promise<void> {
    await (await this.#pool)?.end();
    this.#pool = null;
  }

  #current(): Promise<pg.Pool> {
    return this.#pool ?? this.#start("newest");
  }

  /** Connections that were refused together share one renewal. */
  #renewed(refused: Promise<pg.Pool>, version: PasswordVersion): Promise<pg.Pool> {
    if (this.#pool !== refused) return this.#current();
    // The old pool is left alone: who waits in its queue is refused, and comes here too; its idle connections close by themselves.
    return this.#start(version);
  }

  #start(version: PasswordVersion): Promise<pg.Pool> {
    const pool = this.open(version);
    this.#pool = pool;
    pool.catch(() => {
      if (this.#pool === pool) this.#pool = null;
    });
    return pool;
  }
}
