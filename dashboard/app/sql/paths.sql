-- What sessions do in the three steps after, and before, the first time of an event; the same event again counts as one step.
-- A row is a link: from `source`, so many steps away from the event, to `target`, one more. (others): all but the six most
-- frequent of that step; (end): what the range holds of the session ends there, or begins.
-- Where the range has more than half a million events, one session in `one_in` is read, and counts for so many.
-- $1 first day, $2 last day, $3 zone, $4 login state of the session ('' all, '-' none given), $5 event name
WITH asked AS (
  SELECT chr(256 + number) AS mark FROM dw.event_numbers WHERE event_name = $5::text
), part AS (
  SELECT greatest(1, ceil(sum(events) / 500000))::int AS one_in FROM dw.days WHERE zone = $3 AND day BETWEEN $1::date AND $2::date
), visit AS (
  SELECT session_id, extract(epoch FROM hour)::bigint << 31 AS hour, user_login_state, steps FROM dw.visits, part
  WHERE hour >= $1::date::timestamp AT TIME ZONE $3 AND hour < ($2::date + 1)::timestamp AT TIME ZONE $3 AND session_id IS NOT NULL
    AND (hashtext(session_id) & 2147483647) % one_in = 0
), way AS MATERIALIZED ( -- a letter an event
  SELECT way, count(*) AS sessions FROM (
    SELECT string_agg(chr(256 + (step & 511)), '' ORDER BY hour + step) AS way FROM visit, unnest(steps) AS step GROUP BY session_id
    HAVING $4::text = '' OR max(user_login_state) = $4 OR ($4 = '-' AND max(user_login_state) IS NULL)
  ) AS session GROUP BY way
), once AS MATERIALIZED (
  SELECT way, mark, position(mark IN way) AS at, sessions
  FROM (SELECT regexp_replace(way, '(.)\1+', '\1', 'g') AS way, mark, sessions FROM way, asked WHERE position(mark IN way) > 0) AS way
), side AS ( -- the mark, and three letters from it on
  SELECT direction, letters, sum(sessions) AS sessions
  FROM once, LATERAL (VALUES ('after', substr(way, at, 4)), ('before', reverse(substr(way, greatest(1, at - 3), at - greatest(1, at - 3) + 1))))
    AS side (direction, letters)
  GROUP BY 1, 2
), link AS (
  SELECT direction, step, substr(letters, step, 1) AS source, substr(letters, step + 1, 1) AS target, sessions
  FROM side, generate_series(1, 3) AS step WHERE substr(letters, step, 1) <> ''
), frequent AS (
  SELECT direction, step, target, row_number() OVER (PARTITION BY direction, step ORDER BY sum(sessions) DESC, target) <= 6 AS told
  FROM link WHERE target <> '' GROUP BY 1, 2, 3
), named AS (
  SELECT direction, step, target AS letter, CASE WHEN target = '' THEN '(end)' WHEN told THEN coalesce(event_name, 'other') ELSE '(others)' END AS name
  FROM (SELECT * FROM frequent UNION SELECT direction, step, '', true FROM link WHERE target = '') AS known
  LEFT JOIN dw.event_numbers ON target <> '' AND number = ascii(target) - 256
)
SELECT link.direction, link.step, CASE WHEN link.step = 1 THEN $5 ELSE left(sources.name, 100) END AS source,
  left(targets.name, 100) AS target, (sum(sessions) * one_in)::float8 AS sessions, one_in
FROM part, link JOIN named AS targets ON targets.direction = link.direction AND targets.step = link.step AND targets.letter = link.target
LEFT JOIN named AS sources ON sources.direction = link.direction AND sources.step = link.step - 1 AND sources.letter = link.source
GROUP BY 1, 2, 3, 4, one_in
ORDER BY 1, 2, 5 DESC, 3, 4
