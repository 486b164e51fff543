-- Sessions that known bots began, by what they call themselves. $1 days that end with the newest event's ('' all), $2 zone
WITH days AS (
  SELECT kind, value, is_bot, sessions FROM dw.entry_days, dw.state
  WHERE zone = $2 AND ($1::text = '' OR day > (newest_event_at AT TIME ZONE $2)::date - nullif($1, '')::int)
)
SELECT value, sum(sessions)::float8 AS sessions,
  (SELECT sum(sessions) FROM days WHERE kind = 'all' AND is_bot IS NOT NULL)::float8 AS known
FROM days
WHERE kind = 'browser' AND is_bot
GROUP BY value
ORDER BY sessions DESC, value NULLS LAST
LIMIT 50
