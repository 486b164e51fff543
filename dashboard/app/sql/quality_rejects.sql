-- Records in quarantine by cause. $1 days of loads to look back ('' all), $2 zone
SELECT cause, sum(records)::float8 AS rejects, count(DISTINCT (bucket, key))::float8 AS objects,
  to_char(max(rejected_at) AT TIME ZONE $2, 'YYYY-MM-DD HH24:MI:SS') AS newest
FROM etl.rejects
WHERE requeued_at IS NULL AND ($1::text = '' OR rejected_at >= now() - nullif($1, '')::int * interval '1 day')
GROUP BY cause
ORDER BY rejects DESC, cause
