import type { Queryable } from "../load/warehouse.js";

/** What the warehouse's host wrote of itself last. */
export interface HostState {
  /** Seconds since then. */
  readonly ageSeconds: number;
  /** MiB. */
  readonly dataMb: { readonly size: number; readonly free: number };
  readonly rootMb: { readonly size: number; readonly free: number };
  readonly memoryMb: { readonly size: number; readonly free: number };
  readonly connections: number;
  readonly maxConnections: number;
  /** Names of the systemd units that failed. */
  readonly failedUnits: readonly string[];
  /** Seconds since the last dump that was read back; null before the first. */
  readonly backupAgeSeconds: number | null;
  /** Dead rows in percent of all; null while there are none. */
  readonly deadPercent: number | null;
  /** Days until the server's certificate ends. */
  readonly certificateDays: number | null;
  readonly loadPerProcessor: number;
  readonly walBytes: number;
}

/** Null where no host writes: any other PostgreSQL. */
export async function readHostState(db: Queryable): Promise<HostState | null> {
  const { rows } = await db.query<HostState>(
    `SELECT extract(epoch FROM now() - at)::float8 AS "ageSeconds",
       json_build_object('size', data_size_mb, 'free', data_free_mb) AS "dataMb",
       json_build_object('size', root_size_mb, 'free', root_free_mb) AS "rootMb",
       json_build_object('size', memory_size_mb, 'free', memory_free_mb) AS "memoryMb",
       connections, max_connections AS "maxConnections", failed_units AS "failedUnits",
       extract(epoch FROM now() - backup_at)::float8 AS "backupAgeSeconds",
       100 * dead_rows::float8 / nullif(live_rows + dead_rows, 0) AS "deadPercent",
       extract(epoch FROM certificate_until - now())::float8 / 86400 AS "certificateDays",
       load::float8 / processors AS "loadPerProcessor", wal_bytes::float8 AS "walBytes"
     FROM etl.host_state ORDER BY at DESC LIMIT 1`,
  );
  return rows[0] ?? null;
}
