-- Sessions that reached each step, of the sessions begun in the range.
-- $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given),
-- $5 dimension (all, category, brand), $6 value of the dimension ('' for all)
SELECT
  coalesce(sum(sessions), 0)::float8 AS sessions,
  coalesce(sum(views), 0)::float8 AS views,
  coalesce(sum(product_views), 0)::float8 AS product_views,
  coalesce(sum(carts), 0)::float8 AS carts,
  coalesce(sum(checkout_starts), 0)::float8 AS checkout_starts,
  coalesce(sum(checkouts), 0)::float8 AS checkouts
FROM dw.funnel_days
WHERE zone = $3 AND day BETWEEN $1::date AND $2::date
  AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  AND dimension = $5::text AND ($5 = 'all' OR value = $6::text)
