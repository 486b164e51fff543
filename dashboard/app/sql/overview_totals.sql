-- Events, visitors, sessions and conversion of a range of days and of as many days before it.
-- $1 first day, $2 last day, $3 zone, $4 login state ('' all, '-' none given), $5 local time the data is whole up to
WITH days AS (
  SELECT $1::date::timestamp AS from_local, ($2::date + 1)::timestamp AS to_local,
    make_interval(days => $2::date - $1::date + 1) AS length, $3::text AS zone
), span AS (
  SELECT
    from_local AT TIME ZONE zone AS from_at,
    to_local AT TIME ZONE zone AS to_at,
    (from_local - length) AT TIME ZONE zone AS before_from,
    -- an unfinished range is compared with the same part of the period before
    (least(to_local, greatest(from_local, nullif($5, '')::timestamp)) - length) AT TIME ZONE zone AS before_to
  FROM days
), hourly AS (
  SELECT coalesce(sum(events) FILTER (WHERE hour >= from_at), 0) AS events,
    coalesce(sum(events) FILTER (WHERE hour < before_to), 0) AS events_before
  FROM span LEFT JOIN dw.hourly_events ON hour >= before_from AND hour < to_at
    AND ($4::text = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
), clients AS (
  SELECT bool_or(hour >= from_at) AS now, bool_or(hour < before_to) AS before
  FROM span JOIN dw.visits ON hour >= before_from AND hour < to_at
    AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
  WHERE client_id IS NOT NULL
  GROUP BY client_id
), visitors AS (
  SELECT count(*) FILTER (WHERE now) AS visitors, count(*) FILTER (WHERE before) AS visitors_before FROM clients
), begun AS (
  SELECT
    count(*) FILTER (WHERE first_event_at >= from_at) AS sessions,
    count(*) FILTER (WHERE first_event_at < before_to) AS sessions_before,
    count(*) FILTER (WHERE first_event_at >= from_at AND furthest_step = 5) AS converted,
    count(*) FILTER (WHERE first_event_at < before_to AND furthest_step = 5) AS converted_before
  FROM span JOIN dw.sessions ON first_event_at >= before_from AND first_event_at < to_at
    AND ($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))
)
SELECT events::float8, events_before::float8, visitors::float8, visitors_before::float8,
  sessions::float8, sessions_before::float8, converted::float8, converted_before::float8
FROM hourly, visitors, begun
