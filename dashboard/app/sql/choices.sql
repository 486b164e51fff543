-- What the filters offer: names by how often they occur, at most 200 of a kind.
WITH names AS (
  SELECT event_name, sum(events) AS events FROM dw.hourly_events GROUP BY event_name
), states AS (
  SELECT user_login_state, sum(events) AS events FROM dw.hourly_events
  WHERE user_login_state IS NOT NULL GROUP BY user_login_state
), categories AS (
  SELECT category, count(*) AS products FROM dw.products WHERE category IS NOT NULL GROUP BY category
), brands AS (
  SELECT brand, count(*) AS products FROM dw.products WHERE brand IS NOT NULL GROUP BY brand
)
SELECT kind, value FROM (
  SELECT 'zone' AS kind, zone AS value, row_number() OVER (ORDER BY is_default DESC, zone) AS rank
    FROM dw.zones WHERE built_at IS NOT NULL OR is_default
  UNION ALL SELECT 'event', event_name, row_number() OVER (ORDER BY events DESC, event_name) FROM names
  UNION ALL SELECT 'login', user_login_state, row_number() OVER (ORDER BY events DESC, user_login_state) FROM states
  UNION ALL SELECT 'category', category, row_number() OVER (ORDER BY products DESC, category) FROM categories
  UNION ALL SELECT 'brand', brand, row_number() OVER (ORDER BY products DESC, brand) FROM brands
) AS choices
WHERE rank <= 200
ORDER BY kind, rank
