import { LISTINGS_AT_ONCE } from "../extract/plan.js";
import { sideBySide } from "../extract/side-by-side.js";
import { type LookbackState, readLookback } from "../load/lookbacks.js";
import type { Queryable } from "../load/warehouse.js";
import { freshListings } from "../run/fresh-objects.js";
import type { ContractFinding, RejectCounts, Source, Window } from "../types.js";
import { listRuns, type RunRow } from "./runs.js";

const RUNS_SHOWN = 10;

export interface WarehouseStatus {
  readonly events: number;
  readonly newestEvent: Date | null;
  readonly newestLoad: Date | null;
  /** Objects of the source's window that no run has loaded yet; null when no source was given. */
  readonly pendingObjects: number | null;
  /** In quarantine, neither read again nor resolved. */
  readonly rejects: Readonly<RejectCounts>;
  /** Of the source's bucket; null when no run has looked back there. */
  readonly lookback: LookbackState | null;
  readonly runs: readonly RunRow[];
  /** Where events of the last day's runs differ from the contract, the most frequent first. */
  readonly drift: readonly Drift[];
}

export interface Drift extends ContractFinding {
  readonly since: Date;
}

const DRIFT_SHOWN = 20;

/** How fresh the warehouse is, what is pending and what went wrong. */
export async function status(
  db: Queryable,
  pending?: { readonly source: Source; readonly window: Window | null; readonly prefix?: string | undefined },
): Promise<WarehouseStatus> {
  const freshness = await db.query(
    `SELECT (SELECT count(*) FROM public.clickstream_events)::float8 AS events,
       (SELECT max(event_timestamp) FROM public.clickstream_events) AS newest_event,
       (SELECT max(loaded_at) FROM etl.objects) AS newest_load`,
  );
  const { events, newest_event: newestEvent, newest_load: newestLoad } = freshness.rows[0];
  const rejects = await db.query<{ cause: string; count: number }>(
    `SELECT cause, sum(records)::float8 AS count FROM etl.rejects
     WHERE requeued_at IS NULL AND resolved_at IS NULL GROUP BY cause ORDER BY cause`,
  );
  return {
    events,
    newestEvent,
    newestLoad,
    pendingObjects: pending ? await countPending(db, pending) : null,
    rejects: Object.fromEntries(rejects.rows.map(({ cause, count }) => [cause, count])),
    lookback: pending ? await readLookback(db, pending.source.bucket) : null,
    runs: await listRuns(db, RUNS_SHOWN),
    drift: await listDrift(db),
  };
}

async function listDrift(db: Queryable): Promise<Drift[]> {
  const { rows } = await db.query<Drift>(
    `SELECT event_name AS event, field, kind, sum(events)::float8 AS events, min(started_at) AS since
     FROM dw.contract_drift WHERE started_at > now() - interval '1 day'
     GROUP BY 1, 2, 3 ORDER BY events DESC, 1, 2, 3 LIMIT ${DRIFT_SHOWN}`,
  );
  return rows;
}

async function countPending(
  db: Queryable,
  where: { source: Source; window: Window | null; prefix?: string | undefined },
): Promise<number> {
  let count = 0;
  const scope = { ...where, db, retrying: <T>(query: () => Promise<T>) => query(), readOnly: true };
  for await (const { fresh } of sideBySide(freshListings(scope), LISTINGS_AT_ONCE)) count += fresh.length;
  return count;
}
