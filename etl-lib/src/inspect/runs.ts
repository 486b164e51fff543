import type { Queryable } from "../load/warehouse.js";
import type { EventCounts, ObjectCounts, RejectCounts, RunError, Warnings } from "../types.js";

export interface RunRow {
  readonly runId: string;
  readonly trigger: string;
  /** A run that was killed stays `running`. */
  readonly status: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly objects: Partial<ObjectCounts>;
  readonly events: Partial<EventCounts>;
  readonly error: RunError | null;
}

/** All that is recorded of a run. */
export interface RunDetails extends RunRow {
  readonly bucket: string;
  readonly prefix: string | null;
  readonly windowFrom: Date | null;
  readonly windowTo: Date | null;
  readonly rejects: Readonly<RejectCounts>;
  readonly warnings: Readonly<Warnings>;
  /** Milliseconds that the run waited for each stage. */
  readonly timings: { readonly [stage: string]: number };
  readonly errors: readonly RunError[];
}

const ROW = `run_id AS "runId", trigger, status, started_at AS "startedAt", finished_at AS "finishedAt", objects, events, error`;
const DETAILS = `${ROW}, bucket, prefix, window_from AS "windowFrom", window_to AS "windowTo", rejects, warnings, timings, errors`;

/** The last runs, newest first. */
export async function listRuns(db: Queryable, limit: number): Promise<RunRow[]> {
  const { rows } = await db.query<RunRow>(`SELECT ${ROW} FROM etl.runs ORDER BY started_at DESC LIMIT $1`, [
    limit,
  ]);
  return rows;
}

/** The runs whose id begins so, two at most: one that is meant, or a sign that it is not clear which. */
export async function findRuns(db: Queryable, idStart: string): Promise<RunDetails[]> {
  const { rows } = await db.query<RunDetails>(
    `SELECT ${DETAILS} FROM etl.runs WHERE starts_with(run_id::text, $1) LIMIT 2`,
    [idStart.toLowerCase()],
  );
  return rows;
}
