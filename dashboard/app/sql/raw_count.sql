-- How many events the raw table of this choice has.
-- $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given), $5 event name ('' all)
SELECT coalesce(sum(events), 0)::float8 AS events
FROM dw.hourly_events
WHERE hour >= $1::date::timestamp AT TIME ZONE $3 AND hour < ($2::date + 1)::timestamp AT TIME ZONE $3
  AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  AND ($5::text = '' OR event_name = $5)
