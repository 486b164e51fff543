import { toLoadError } from "./pg-errors.js";
import { checkOut, type WarehousePool } from "./warehouse.js";

/** Rules beyond these are not evaluated: each reads a few hours of rollups for each of its weeks. */
const MAX_RULES = 50;

/**
 * Of each rule the value of its newest hours, and the mean of the same hours of past weeks that the data reaches. Of counts
 * and conversion only whole hours, $1 being now. A part of less than half a percent counts as half a percent, or the first
 * reject after a clean month were a rise.
 */
const EVALUATE = `
WITH rule AS (
  SELECT *, CASE WHEN metric IN ('reject_share', 'new_event_names') THEN $1::timestamptz ELSE date_trunc('hour', $1::timestamptz, 'UTC') END AS until
  FROM dw.alert_rules WHERE is_on ORDER BY rule LIMIT ${MAX_RULES}
), span AS (
  SELECT rule, metric, week, until - week * interval '7 days' - make_interval(hours => hours) AS lo,
    until - week * interval '7 days' AS hi, weeks * interval '7 days' AS back, least
  FROM rule, generate_series(0, CASE WHEN metric = 'new_event_names' THEN 0 ELSE weeks END) AS week
), measured AS (
  SELECT rule, metric, week, least, value, coalesce(number, value) AS number, detail
  FROM span CROSS JOIN LATERAL (
    SELECT sum(events) AS value, NULL::numeric AS number, NULL AS detail FROM dw.hourly_events
    WHERE metric IN ('events', 'orders') AND hour >= lo AND hour < hi AND (metric = 'events' OR event_name = 'checkout_complete')
    HAVING metric IN ('events', 'orders')
    UNION ALL
    SELECT CASE WHEN metric = 'sessions' THEN count(*) ELSE avg((furthest_step = 5)::int) END, count(*), NULL FROM dw.sessions
    WHERE metric IN ('sessions', 'conversion') AND first_event_at >= lo AND first_event_at < hi
    HAVING metric IN ('sessions', 'conversion')
    UNION ALL
    SELECT sum((events ->> 'rejected')::numeric) / nullif(sum((events ->> 'read')::numeric), 0), sum((events ->> 'read')::numeric), NULL
    FROM etl.runs WHERE metric = 'reject_share' AND started_at >= lo AND started_at < hi HAVING metric = 'reject_share'
    UNION ALL
    SELECT count(*), NULL, array_to_string((array_agg(left(event_name, 100) ORDER BY event_name))[1:5], ', ') FROM (
      SELECT DISTINCT event_name FROM dw.hourly_events
      WHERE metric = 'new_event_names' AND hour >= lo AND hour < hi AND NOT EXISTS (
        SELECT FROM dw.hourly_events before
        WHERE before.event_name = hourly_events.event_name AND before.hour >= lo - back AND before.hour < lo)
        AND EXISTS (SELECT FROM dw.hourly_events before WHERE before.hour >= lo - back AND before.hour < lo)
    ) new HAVING metric = 'new_event_names'
  ) m
  WHERE week = 0 OR metric = 'reject_share' OR lo >= (SELECT min(hour) FROM dw.hourly_events)
), compared AS (
  SELECT rule, metric, least, max(value) FILTER (WHERE week = 0) AS value, max(number) FILTER (WHERE week = 0) AS number,
    avg(CASE WHEN metric IN ('conversion', 'reject_share') THEN value ELSE coalesce(value, 0) END) FILTER (WHERE week > 0) AS expected,
    max(detail) AS detail
  FROM measured GROUP BY rule, metric, least
), judged AS (
  SELECT rule, value, expected, detail, CASE
      WHEN metric IN ('conversion', 'reject_share') AND coalesce(number, 0) < c.least THEN false
      WHEN metric NOT IN ('conversion', 'reject_share') AND coalesce(expected, value, 0) < c.least THEN false
      WHEN comparison = 'fell_by' THEN coalesce(value, 0) <= expected * (1 - threshold) AND expected > 0
      WHEN comparison = 'rose_by' THEN value > greatest(expected, CASE WHEN metric IN ('conversion', 'reject_share') THEN 0.005 ELSE 1 END) * (1 + threshold)
        AND expected IS NOT NULL
      WHEN comparison = 'above' THEN value > threshold
      ELSE coalesce(value, 0) < threshold AND (weeks = 0 OR expected IS NOT NULL)
    END AS is_raised
  FROM compared c JOIN rule USING (rule, metric)
)
INSERT INTO dw.alerts (rule, evaluated_at, value, expected, is_raised, since, detail)
SELECT rule, $1, value, expected, coalesce(is_raised, false), CASE WHEN is_raised THEN $1::timestamptz END, detail FROM judged
ON CONFLICT (rule) DO UPDATE SET evaluated_at = excluded.evaluated_at, value = excluded.value, expected = excluded.expected,
  is_raised = excluded.is_raised, detail = excluded.detail,
  since = CASE WHEN excluded.is_raised AND alerts.is_raised THEN alerts.since ELSE excluded.since END
RETURNING rule, is_raised`;

/**
 * Evaluates the rules of `dw.alert_rules` and writes what it finds to `dw.alerts`.
 * @param timeoutMs no statement takes longer
 * @returns the rules that are raised now, by name
 * @throws {LoadError}
 */
export async function evaluateAlerts(pool: WarehousePool, now: Date, timeoutMs: number): Promise<string[]> {
  const client = await checkOut(pool).catch((error) => {
    throw toLoadError(error);
  });
  try {
    await client.query(
      `BEGIN; SET LOCAL statement_timeout = ${Math.ceil(timeoutMs)}; SET LOCAL lock_timeout = '1s'; SET LOCAL jit = off`,
    );
    const { rows } = await client.query<{ rule: string; is_raised: boolean }>(EVALUATE, [now.toISOString()]);
    await client.query("COMMIT");
    client.release();
    return rows
      .filter((row) => row.is_raised)
      .map((row) => row.rule)
      .sort();
  } catch (error) {
    client.release(true);
    throw toLoadError(error);
  }
}
