-- Of those who took the first of up to eight steps, how many went on to each further one, in this order. Of several first steps
-- the latest counts that is in time; what else happens in between does not matter.
-- Where the range has more than half a million events, one of them in `one_in` is read, and counts for so many.
-- $1 first day, $2 last day, $3 zone, $4 login state of the session or visitor ('' all, '-' none given), $5 … $12 event names ('' no such step),
-- $13 days after the first step within which the others are taken, by visitor; '' within a session, by session
WITH asked AS (
  SELECT n, asked.event_name, number
  FROM unnest(array_remove(ARRAY[$5, $6, $7, $8, $9, $10, $11, $12]::text[], '')) WITH ORDINALITY AS asked (event_name, n)
  LEFT JOIN dw.event_numbers ON event_numbers.event_name = asked.event_name
), part AS (
  SELECT greatest(1, ceil(sum(events) / 500000))::int AS one_in FROM dw.days WHERE zone = $3 AND day BETWEEN $1::date AND $2::date
), visit AS (
  SELECT CASE WHEN $13::text = '' THEN session_id ELSE client::text END AS who, extract(epoch FROM hour)::bigint * 512000 AS hour,
    user_login_state, steps
  FROM dw.visits, part
  WHERE hour >= $1::date::timestamp AT TIME ZONE $3 AND hour < ($2::date + 1)::timestamp AT TIME ZONE $3
    AND (hashtext(CASE WHEN $13 = '' THEN session_id ELSE client::text END) & 2147483647) % one_in = 0
), taken AS (
  SELECT array_agg(hour + step ORDER BY hour + step) FILTER (WHERE (step & 511) = ANY (ARRAY(SELECT number FROM asked))) AS steps
  FROM visit, unnest(steps) AS step
  WHERE who IS NOT NULL AND ($4::text <> '' OR (step & 511) = ANY (ARRAY(SELECT number FROM asked)))
  GROUP BY who
  HAVING $4 = '' OR max(user_login_state) = $4 OR ($4 = '-' AND max(user_login_state) IS NULL)
), reached AS (
  SELECT dw.steps_reached(steps, ARRAY(SELECT number FROM asked ORDER BY n),
    CASE WHEN $13 = '' THEN 9e15 ELSE nullif($13, '')::float8 * 86400000 END::bigint) AS reached, count(*) AS who
  FROM taken WHERE steps IS NOT NULL GROUP BY 1
)
SELECT n::int AS step, left(event_name, 100) AS event_name, coalesce(sum(who) FILTER (WHERE reached >= n), 0)::float8 * one_in AS reached, one_in
FROM part, asked LEFT JOIN reached ON true
GROUP BY 1, 2, one_in
ORDER BY 1
