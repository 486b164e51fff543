-- Events by name. $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given)
SELECT event_name, sum(events)::float8 AS events
FROM dw.hourly_events
WHERE hour >= $1::date::timestamp AT TIME ZONE $3 AND hour < ($2::date + 1)::timestamp AT TIME ZONE $3
  AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
GROUP BY event_name
ORDER BY events DESC, event_name
LIMIT 100
