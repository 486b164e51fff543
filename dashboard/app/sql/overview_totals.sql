-- Events, visitors, sessions and conversion of a range of days and of as many days before it.
-- $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given), $5 local time the data is whole up to,
-- $6 event name of `events` ('' all), $7 and $8 dimension (all, category, brand) and value that `sessions` and `converted` are of
-- NOT MATERIALIZED: the planner then sees how long the span is, and computes its bounds once.
WITH days AS NOT MATERIALIZED (
  SELECT $1::date::timestamp AS from_local, ($2::date + 1)::timestamp AS to_local,
    make_interval(days => $2::date - $1::date + 1) AS length, $3::text AS zone
), span AS NOT MATERIALIZED (
  SELECT
    from_local AT TIME ZONE zone AS from_at,
    to_local AT TIME ZONE zone AS to_at,
    (from_local - length) AT TIME ZONE zone AS before_from,
    -- an unfinished range is compared with the same part of the period before
    least(to_local, greatest(from_local, $5::timestamp)) - length AS before_to_local,
    (least(to_local, greatest(from_local, $5::timestamp)) - length) AT TIME ZONE zone AS before_to
  FROM days
), after_cut AS ( -- the rest of the hour that the period before is cut in
  SELECT count(*) FILTER (WHERE $6::text = '' OR event_name = $6) AS events,
    count(*) FILTER (WHERE event_name = 'checkout_complete') AS orders,
    coalesce(sum(coalesce(context_product_discount_price, context_product_price)) FILTER (WHERE event_name = 'checkout_complete'), 0) AS value
  FROM span JOIN public.clickstream_events ON event_timestamp >= before_to
    AND event_timestamp < before_to + interval '1 hour' AND date_bin('1 hour', event_timestamp, 'epoch') < before_to
    AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
), hourly AS (
  SELECT coalesce(sum(events) FILTER (WHERE hour >= from_at AND ($6 = '' OR event_name = $6)), 0) AS events,
    coalesce(sum(events) FILTER (WHERE hour < before_to AND ($6 = '' OR event_name = $6)), 0) AS events_before,
    coalesce(sum(events) FILTER (WHERE hour >= from_at AND event_name = 'checkout_complete'), 0) AS orders,
    coalesce(sum(events) FILTER (WHERE hour < before_to AND event_name = 'checkout_complete'), 0) AS orders_before,
    coalesce(sum(order_value) FILTER (WHERE hour >= from_at), 0) AS value,
    coalesce(sum(order_value) FILTER (WHERE hour < before_to), 0) AS value_before,
    coalesce(sum(priced_orders) FILTER (WHERE hour >= from_at), 0) AS priced
  FROM span LEFT JOIN dw.hourly_events ON hour >= before_from AND hour < to_at
    AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
), seen AS ( -- sets of clients: of whole days, and of the day that the period before is cut in
  SELECT chunk, clients, day >= $1::date AS is_now
  FROM span JOIN dw.day_clients ON zone = $3
    AND day >= $1::date - ($2::date - $1::date + 1) AND day <= $2::date
    AND (day >= $1::date OR day < before_to_local::date)
    AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  UNION ALL
  SELECT dw.chunk_of(client), dw.bit_of(client), false
  FROM span JOIN dw.visits ON hour >= date_trunc('day', before_to_local) AT TIME ZONE $3
    AND hour < before_to AND first_event_at < before_to
    AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  WHERE client IS NOT NULL
), visitors AS (
  SELECT coalesce(sum(bit_count(now)), 0) AS visitors, coalesce(sum(bit_count(before)), 0) AS visitors_before
  FROM (
    SELECT bit_or(clients) FILTER (WHERE is_now) AS now, bit_or(clients) FILTER (WHERE NOT is_now) AS before
    FROM seen GROUP BY chunk
  ) AS chunks
), by_day AS ( -- whole days
  SELECT coalesce(sum(sessions) FILTER (WHERE day >= $1::date), 0) AS sessions,
    coalesce(sum(checkouts) FILTER (WHERE day >= $1::date), 0) AS converted,
    coalesce(sum(sessions) FILTER (WHERE day < $1::date), 0) AS sessions_before,
    coalesce(sum(checkouts) FILTER (WHERE day < $1::date), 0) AS converted_before
  FROM span LEFT JOIN dw.funnel_days ON zone = $3 AND dimension = $7::text AND ($7 = 'all' OR value = $8::text)
    AND day >= $1::date - ($2::date - $1::date + 1) AND day <= $2::date
    AND (day >= $1::date OR day < before_to_local::date)
    AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
), in_part AS ( -- the day that the period before is cut in; of a category or brand, the session's steps with its products
  SELECT count(first_event_at) AS sessions_before, count(first_event_at) FILTER (WHERE step = 5) AS converted_before
  FROM span LEFT JOIN LATERAL (
    SELECT first_event_at, furthest_step AS step
    FROM dw.sessions
    WHERE $7 = 'all' AND first_event_at >= date_trunc('day', before_to_local) AT TIME ZONE $3 AND first_event_at < before_to
      AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
    UNION ALL
    SELECT first_event_at, CASE WHEN own >= 3 THEN greatest(own, checkout_step) ELSE own END
    FROM dw.sessions CROSS JOIN LATERAL (
      SELECT max(x % 8) AS own FROM unnest(product_steps) AS x JOIN dw.product_groups ON product_group = x / 8
      WHERE CASE WHEN $7 = 'brand' THEN brand ELSE category END = $8
    ) AS part
    WHERE $7 <> 'all' AND own IS NOT NULL
      AND first_event_at >= date_trunc('day', before_to_local) AT TIME ZONE $3 AND first_event_at < before_to
      AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  ) AS begun ON true
)
SELECT hourly.events::float8, (events_before - after_cut.events)::float8 AS events_before, visitors::float8, visitors_before::float8,
  sessions::float8, (by_day.sessions_before + in_part.sessions_before)::float8 AS sessions_before,
  converted::float8, (by_day.converted_before + in_part.converted_before)::float8 AS converted_before,
  hourly.orders::float8, (orders_before - after_cut.orders)::float8 AS orders_before,
  hourly.value::float8, (value_before - after_cut.value)::float8 AS value_before, priced::float8
FROM hourly, after_cut, visitors, by_day, in_part
