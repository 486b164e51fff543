-- The rules that are on, and what the last evaluation found. $1 zone
SELECT rule, metric, hours::int, weeks::int, comparison, threshold::float8, coalesce(is_raised, false) AS is_raised, value::float8, expected::float8,
  left(detail, 600) AS detail, to_char(since AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS since,
  to_char(evaluated_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS evaluated
FROM dw.alert_rules LEFT JOIN dw.alerts USING (rule)
WHERE is_on
ORDER BY is_raised DESC, rule
