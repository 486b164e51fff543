-- How many visitors had how many sessions (10: ten or more). $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given)
WITH pair AS (
  SELECT client, session_id FROM dw.visits
  WHERE hour >= $1::date::timestamp AT TIME ZONE $3 AND hour < ($2::date + 1)::timestamp AT TIME ZONE $3
    AND client IS NOT NULL AND session_id IS NOT NULL
    AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  GROUP BY client, session_id
)
SELECT least(sessions, 10)::int AS sessions, count(*)::float8 AS visitors
FROM (SELECT client, count(*) AS sessions FROM pair GROUP BY client) AS clients
GROUP BY 1
ORDER BY 1
