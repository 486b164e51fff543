import { toLoadError } from "../load/pg-errors.js";
import { checkOut, type Queryable, type WarehousePool } from "../load/warehouse.js";
import { ROLLUP_TRUTHS, type RollupTruth } from "./rollup-truths.js";

/** Rows of one rollup that are not what the raw rows say. */
export interface RollupDifference {
  /** Table of schema `dw`, or `sessions.product_steps`, or `state`. */
  readonly rollup: string;
  /** Rows the raw events call for that the rollup lacks. A wrong row is one missing and one surplus. */
  readonly missing: number;
  /** Rows of the rollup that no raw event calls for. */
  readonly surplus: number;
  /** The first rows of either kind. */
  readonly examples: readonly { readonly kind: "missing" | "surplus"; readonly row: unknown }[];
}

export interface RollupReport {
  /** Hours that were loaded and not refreshed yet: while there are any, differences are to be expected. */
  readonly staleHours: number;
  readonly differences: readonly RollupDifference[];
}

/**
 * Computes every rollup from the raw rows, in SQL of its own, and compares. One snapshot, so loads and refreshes may go
 * on meanwhile; changes nothing. Refresh first, or what is merely not refreshed yet shows as different.
 * Takes a few minutes for ten million events.
 * @throws {LoadError}
 */
export async function verifyRollups(pool: WarehousePool): Promise<RollupReport> {
  const client = await checkOut(pool).catch((error) => {
    throw toLoadError(error);
  });
  try {
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
      SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '128MB'; SET LOCAL jit = off`);
    const { rows } = await client.query<{ hours: number }>(
      "SELECT count(DISTINCT hour)::int AS hours FROM dw.stale_hours",
    );
    const differences: RollupDifference[] = [];
    for (const truth of ROLLUP_TRUTHS) {
      const difference = await compare(client, truth);
      if (difference.missing + difference.surplus > 0) differences.push(difference);
    }
    await client.query("COMMIT");
    client.release();
    return { staleHours: rows[0]?.hours ?? 0, differences };
  } catch (error) {
    client.release(true);
    throw toLoadError(error);
  }
}

const EXAMPLES = 3;

async function compare(db: Queryable, { rollup, actual, truth }: RollupTruth): Promise<RollupDifference> {
  const { rows } = await db.query<RollupDifference>(
    `WITH truth AS MATERIALIZED (${truth}), actual AS MATERIALIZED (${actual}),
       missing AS (SELECT * FROM truth EXCEPT ALL SELECT * FROM actual),
       surplus AS (SELECT * FROM actual EXCEPT ALL SELECT * FROM truth)
     SELECT (SELECT count(*)::int FROM missing) AS missing, (SELECT count(*)::int FROM surplus) AS surplus,
       (SELECT coalesce(json_agg(e), '[]') FROM (
          (SELECT 'missing' AS kind, to_json(m) AS row FROM missing m LIMIT ${EXAMPLES})
          UNION ALL
          (SELECT 'surplus', to_json(s) FROM surplus s LIMIT ${EXAMPLES})) e) AS examples`,
  );
  return { ...(rows[0] as RollupDifference), rollup };
}
