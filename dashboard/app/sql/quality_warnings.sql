-- Repairs that runs made, by column and cause. $1 days of loads to look back ('' all)
SELECT columns.key AS column_name, causes.key AS cause, sum(causes.value::numeric)::float8 AS warnings
FROM etl.runs
CROSS JOIN jsonb_each(warnings) AS columns
CROSS JOIN jsonb_each_text(columns.value) AS causes
WHERE $1::text = '' OR started_at >= now() - nullif($1, '')::int * interval '1 day'
GROUP BY columns.key, causes.key
ORDER BY warnings DESC, column_name, cause
LIMIT 50
