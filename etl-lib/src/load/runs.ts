import type { RunSummary, RunTrigger } from "../types.js";
import type { Queryable } from "./warehouse.js";

/** Writes the row of a run that begins, so that a crash leaves a trace. */
export async function recordStart(
  db: Queryable,
  run: {
    runId: string;
    trigger: RunTrigger;
    bucket: string;
    prefix: string | undefined;
    window: RunSummary["window"];
  },
): Promise<void> {
  await db.query(
    `INSERT INTO etl.runs (run_id, trigger, bucket, prefix, window_from, window_to, status)
     VALUES ($1, $2, $3, $4, $5, $6, 'running') ON CONFLICT (run_id) DO NOTHING`,
    [
      run.runId,
      run.trigger,
      run.bucket,
      run.prefix ?? null,
      run.window?.from ?? null,
      run.window?.to ?? null,
    ],
  );
}

/**
 * Completes the row of a run.
 * @param timings milliseconds that the run waited for each stage; `rollupsMs` is the wait at its end, without what was
 *   refreshed while it loaded
 */
export async function recordEnd(
  db: Queryable,
  summary: RunSummary,
  timings: { readonly [stage: string]: number },
): Promise<void> {
  await db.query(
    `UPDATE etl.runs SET status = $2, finished_at = now(), objects = $3, events = $4, rejects = $5, warnings = $6, contract = $10,
       timings = $7, error = $8, errors = $9
     WHERE run_id = $1`,
    [
      summary.runId,
      summary.status,
      JSON.stringify(summary.objects),
      JSON.stringify(summary.events),
      JSON.stringify(summary.rejects),
      JSON.stringify(summary.warnings),
      JSON.stringify(timings),
      summary.error && JSON.stringify(summary.error),
      JSON.stringify(summary.errors),
      JSON.stringify(summary.contract),
    ],
  );
}
