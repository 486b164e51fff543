import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { migrate } from "etl-lib";
import pg from "pg";
import { choosePort } from "../connect/local-port.js";
import { type Cluster, openCluster } from "../postgres/cluster.js";
import { findServer, type Settings, startServer, stopServer } from "../postgres/server.js";

/** What a client needs to reach a database of the test's server. */
export interface ConnectionConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A new, empty database. */
export interface TestDatabase {
  readonly config: ConnectionConfig;
  readonly url: string;
  /** Ten connections at most; closed by `drop`. */
  readonly pool: pg.Pool;
  /** Closes the pool and removes the database, whoever is still connected. */
  drop(): Promise<void>;
}

/** A real PostgreSQL 18 of its own in a temporary folder. Port and databases stay the same over a restart. */
export interface TestPostgres {
  readonly port: number;
  readonly dataDir: string;
  /** @param settings what CREATE DATABASE takes more */
  createDatabase(settings?: string): Promise<TestDatabase>;
  /** A migrated database: a copy of one that each server migrates once. */
  createWarehouse(): Promise<TestDatabase>;
  /** Orderly: clients are disconnected. */
  stop(): Promise<void>;
  start(): Promise<void>;
  restart(): Promise<void>;
  /** As a crash: every process of the server is gone at once; `start` then recovers. */
  kill9(): Promise<void>;
}

const HOST = "127.0.0.1";
const SMALL = { shared_buffers: "64MB", max_connections: "60", max_wal_size: "1GB" };
/** Safe against a killed process still, only not against a power cut. */
const FAST = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

const started = new Set<Server>();
let shared: Promise<TestPostgres> | null = null;

/** The one server that all tests of this process share: made at the first call, removed when the process ends. */
export function startPostgres(): Promise<TestPostgres> {
  shared ??= newPostgres();
  return shared;
}

/**
 * A server for one test alone, removed when the process ends.
 *
 * @param options.durable as in production: every commit is flushed to the disk. @default false
 */
export async function newPostgres({
  durable = false,
  settings = {} as Settings,
} = {}): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "test-postgres-"));
  chmodSync(folder, 0o711); // for the account that runs the server when root runs the tests
  const cluster = openCluster(folder, durable ? [] : ["--no-sync"]);
  const server = new Server(folder, cluster, await choosePort(0), {
    ...SMALL,
    ...(durable ? {} : FAST),
    ...settings,
  });
  started.add(server);
  await server.start();
  return server;
}

class Server implements TestPostgres {
  #databases = 0;
  #migrated: Promise<string> | null = null;

  constructor(
    private readonly folder: string,
    private readonly cluster: Cluster,
    readonly port: number,
    private readonly settings: Settings,
  ) {}

  get dataDir(): string {
    return this.cluster.dataDir;
  }

  async start(): Promise<void> {
    await startServer(this.cluster, this.port, this.settings);
  }

  async stop(): Promise<void> {
    await stopServer(this.cluster);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async kill9(): Promise<void> {
    this.#killAll();
    await stopServer(this.cluster, "SIGKILL");
  }

  #killAll(): void {
    const postmaster = findServer(this.cluster)?.pid;
    if (postmaster === undefined) return;
    // Its children outlive it for a moment, and would still answer.
    const pids = [postmaster, ...childrenOf(postmaster)];
    for (const pid of pids) killIfThere(pid);
  }

  async createDatabase(settings = ""): Promise<TestDatabase> {
    this.#databases += 1;
    const database = `test_${this.#databases}`;
    await this.#administer(`CREATE DATABASE ${database} ${settings}`);
    const config = this.#config(database);
    const pool = new pg.Pool({ ...config, max: 10, allowExitOnIdle: true });
    pool.on("error", () => {}); // a test that stops the server breaks idle connections
    return {
      config,
      url: `postgresql://${config.user}:${config.password}@${config.host}:${config.port}/${database}`,
      pool,
      drop: async () => {
        await pool.end();
        await this.#administer(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
      },
    };
  }

  async createWarehouse(): Promise<TestDatabase> {
    this.#migrated ??= this.#createMigrated();
    return this.createDatabase(`TEMPLATE ${await this.#migrated}`);
  }

  /** Nobody may be connected to a database that is copied. */
  async #createMigrated(): Promise<string> {
    const { pool, config } = await this.createDatabase();
    await migrate(pool);
    await pool.end();
    return config.database;
  }

  /** At the end of the process, when nothing can be awaited any more. */
  removeNow(): void {
    this.#killAll();
    const home = dirname(dirname(this.dataDir)); // elsewhere when the temporary folder is closed to that account
    for (const folder of [home, this.folder])
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  #config(database: string): ConnectionConfig {
    return {
      host: HOST,
      port: this.port,
      user: this.cluster.superuser,
      password: this.cluster.password,
      database,
    };
  }

  async #administer(sql: string): Promise<void> {
    const client = new pg.Client(this.#config("postgres"));
    client.on("error", () => {});
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }
}

function childrenOf(parent: number): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const processes = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  return processes.filter(([, ppid]) => ppid === parent).map(([pid]) => pid ?? 0);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}

// Not a hook of mocha: a process that runs several files side by side with others would lose its server after the first.
process.once("exit", () => {
  for (const server of started) server.removeNow();
});
