-- One page of the newest events. The rollup tells which hours hold the page, so that a page costs the reading of
-- those hours, however deep it lies and however large the table is.
-- $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given), $5 event name ('' all),
-- $6 rows before the page, $7 rows of the page
WITH hours AS (
  SELECT hour, sum(events) AS events
  FROM dw.hourly_events
  WHERE hour >= $1::date::timestamp AT TIME ZONE $3 AND hour < ($2::date + 1)::timestamp AT TIME ZONE $3
    AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
    AND ($5::text = '' OR event_name = $5)
  GROUP BY hour
), running AS (
  SELECT hour, sum(events) OVER (ORDER BY hour DESC) AS through, sum(events) OVER (ORDER BY hour DESC) - events AS before
  FROM hours
), page AS (
  SELECT min(hour) AS from_at, max(hour) + interval '1 hour' AS to_at, $6::bigint - min(before) AS skip
  FROM running
  WHERE through > $6::bigint AND before < $6::bigint + $7::bigint
)
SELECT to_char(event_timestamp AT TIME ZONE $3, 'YYYY-MM-DD HH24:MI:SS') AS event_timestamp, event_name, user_login_state,
  left(user_id, 100) AS user_id, left(client_id, 100) AS client_id, left(session_id, 100) AS session_id, is_first_visit,
  left(context_product_id, 100) AS context_product_id, left(context_product_name, 200) AS context_product_name,
  left(context_product_category, 100) AS context_product_category, left(context_product_brand, 100) AS context_product_brand,
  context_product_price::float8, context_product_discount_price::float8,
  left(context_product_url_path, 200) AS context_product_url_path, left(identity_source, 100) AS identity_source,
  event_id::text
FROM public.clickstream_events AS events
WHERE events.event_timestamp >= (SELECT from_at FROM page) AND events.event_timestamp < (SELECT to_at FROM page)
  AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  AND ($5 = '' OR event_name = $5)
ORDER BY events.event_timestamp DESC, events.event_id DESC
OFFSET (SELECT coalesce(skip, 0) FROM page) LIMIT $7::bigint
