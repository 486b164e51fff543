-- Where sessions that have details came from, and how far they went: the hundred values with most sessions.
-- $1 first day, $2 last day, $3 zone, $4 kind (device, browser, referrer, campaign, page), $5 bots (without, with, only)
SELECT value, sum(sessions)::float8 AS sessions, sum(carts)::float8 AS carts, sum(checkouts)::float8 AS checkouts,
  sum(checkouts)::float8 / sum(sessions) AS conversion
FROM dw.entry_days
WHERE zone = $3 AND kind = $4 AND day BETWEEN $1::date AND $2::date
  AND ($5::text = 'with' OR is_bot = ($5 = 'only'))
GROUP BY value
ORDER BY sessions DESC, value NULLS LAST
LIMIT 100
