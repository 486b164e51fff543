-- Visitors of each day, week or month: never seen before it, and seen before. $1 first day, $2 last day, $3 zone, $4 bucket (day, week, month)
WITH period AS (
  SELECT chunk, CASE WHEN day < $1::date THEN '-infinity' ELSE date_trunc($4, day::timestamp) END AS bucket, bit_or(clients) AS clients
  FROM dw.day_clients WHERE zone = $3 AND day <= $2::date GROUP BY 1, 2
), counted AS (
  SELECT chunk, bucket, bit_count(clients) AS visitors, bit_count(clients & coalesce(
    bit_or(clients) OVER (PARTITION BY chunk ORDER BY bucket ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0::bit(4096))) AS again
  FROM period
)
SELECT to_char(bucket, 'YYYY-MM-DD HH24:MI:SS') AS bucket, coalesce(sum(visitors - again), 0)::float8 AS new_visitors,
  coalesce(sum(again), 0)::float8 AS returning_visitors
FROM generate_series(date_trunc($4, $1::date::timestamp), $2::date::timestamp, ('1 ' || $4)::interval) AS bucket
LEFT JOIN counted USING (bucket)
GROUP BY bucket
ORDER BY bucket
