-- The funnel split by category, brand or login state: the twelve values with most sessions.
-- $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given), $5 category | brand | login
SELECT left(CASE WHEN $5::text = 'login' THEN user_login_state ELSE value END, 100) AS value,
  sum(sessions)::float8 AS sessions, sum(views)::float8 AS views, sum(product_views)::float8 AS product_views,
  sum(carts)::float8 AS carts, sum(checkout_starts)::float8 AS checkout_starts, sum(checkouts)::float8 AS checkouts
FROM dw.funnel_days
WHERE zone = $3 AND day BETWEEN $1::date AND $2::date
  AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  AND dimension = CASE WHEN $5 = 'login' THEN 'all' ELSE $5 END
GROUP BY 1
ORDER BY sessions DESC, value
LIMIT 12
