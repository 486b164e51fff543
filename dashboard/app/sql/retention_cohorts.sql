-- Of the visitors first seen in each week or day, how many came again in each one after it. Exact: sets of visitors.
-- $1 first day, $2 last day, $3 zone, $4 week | day. At most the last 26 weeks or 31 days of first visits, and as many after each.
WITH period AS (
  SELECT chunk, date_trunc($4, day::timestamp)::date AS period, bit_or(clients) AS clients
  FROM dw.day_clients WHERE zone = $3 GROUP BY 1, 2
), first_seen AS (
  SELECT chunk, period AS cohort, clients & ~coalesce(
    bit_or(clients) OVER (PARTITION BY chunk ORDER BY period ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0::bit(4096)) AS clients
  FROM period
), cohort AS (
  SELECT * FROM first_seen
  WHERE cohort >= date_trunc($4, $1::date::timestamp) AND cohort <= $2::date AND bit_count(clients) > 0
    AND cohort > $2::date - CASE WHEN $4 = 'week' THEN 26 * 7 ELSE 31 END
)
SELECT to_char(cohort, 'YYYY-MM-DD') AS cohort, ((period - cohort) / CASE WHEN $4 = 'week' THEN 7 ELSE 1 END)::int AS after,
  to_char(period + CASE WHEN $4 = 'week' THEN 7 ELSE 1 END, 'YYYY-MM-DD HH24:MI:SS') AS period_end,
  sum(bit_count(cohort.clients & period.clients))::float8 AS visitors
FROM cohort JOIN period USING (chunk)
WHERE period BETWEEN cohort AND cohort + CASE WHEN $4 = 'week' THEN 25 * 7 ELSE 30 END
GROUP BY cohort, period
ORDER BY cohort, period
