import { type EventCounts, type RetryPolicy, type RunOptions, type RunSummary, runEtl } from "etl-lib";
import { s3Source } from "etl-lib/s3";
import pg from "pg";
import { type ConnectionConfig, startPostgres, type TestDatabase, type TestPostgres } from "../postgres.js";
import { startS3, type TestS3 } from "../s3/s3.js";
import { until } from "../until.js";
import { DAY } from "./events.js";
import { expectIdentity } from "./identity.js";

/** Where the length of an outage is not the point. */
export const BRIEF: RetryPolicy = { retries: 4, minDelayMs: 5, maxDelayMs: 40 };
/** Survives the restart of a database server. */
export const PATIENT: RetryPolicy = { retries: 60, minDelayMs: 20, maxDelayMs: 250 };

type ClosableSource = ReturnType<typeof s3Source>;
export type LabOptions = Partial<Omit<RunOptions, "source" | "pool">> & { pool?: pg.Pool };

/** A bucket and an empty warehouse, as a run meets them. */
export interface Lab {
  readonly s3: TestS3;
  readonly db: TestDatabase;
  /** A run over 6 December 2025, its identity asserted. */
  run(options?: LabOptions): Promise<RunSummary>;
  /** The same, identity not asserted: for runs at the same time. */
  runUnchecked(options?: LabOptions): Promise<RunSummary>;
  /** The same with a source of its own, which is closed. */
  runWith(source: ClosableSource, options?: LabOptions): Promise<RunSummary>;
  /** Of any one-row query, its row. */
  // biome-ignore lint/suspicious/noExplicitAny: the row of a query is what its SQL says
  row(sql: string, values?: unknown[]): Promise<any>;
  /** Rows in the table. */
  count(): Promise<number>;
  /** When the server has noticed that every client of this name is gone, and has ended what they had begun. */
  lastBackendGone(applicationName: string): Promise<void>;
  close(): Promise<void>;
}

export async function openLab(server?: TestPostgres): Promise<Lab> {
  const s3 = await startS3();
  const db = await (server ?? (await startPostgres())).createWarehouse();
  const runWith = async (
    source: ClosableSource,
    { pool = db.pool, ...options }: LabOptions = {},
  ): Promise<RunSummary> => {
    try {
      return await runEtl({ window: DAY, trigger: "manual", retry: BRIEF, ...options, source, pool });
    } finally {
      await source.close();
    }
  };
  const runUnchecked = (options: LabOptions = {}) =>
    runWith(s3Source({ client: s3.client, bucket: s3.bucket, retry: options.retry ?? BRIEF }), options);
  const row = async (sql: string, values?: unknown[]) => (await db.pool.query(sql, values)).rows[0];
  return {
    s3,
    db,
    row,
    runUnchecked,
    runWith,
    async run(options) {
      const summary = await runUnchecked(options);
      await expectIdentity(db.pool, summary);
      return summary;
    },
    count: async () => (await row("SELECT count(*)::int AS n FROM public.clickstream_events")).n,
    async lastBackendGone(name) {
      const query = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1";
      await until(`no backend of ${name} is left`, async () => (await row(query, [name])).n === 0);
    },
    async close() {
      await s3.stop();
      await db.drop();
    },
  };
}

/** A pool such as another process would have. */
export function openPool(config: ConnectionConfig, more: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ ...config, ...more });
  pool.on("error", () => {}); // idle connections break when a test breaks them
  return pool;
}

export const counts = (
  read: number,
  inserted: number,
  duplicates = 0,
  rejected = 0,
  expired = 0,
  erased = 0,
): EventCounts => ({
  read,
  inserted,
  duplicates,
  rejected,
  expired,
  erased,
});
