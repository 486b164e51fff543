-- Product views by category or brand.
-- $1 first day, $2 last day, $3 zone, $4 category ('' all), $5 brand ('' all), $6 search ('' all), $7 category | brand
WITH counted AS (
  SELECT product_id, sum(views) AS views, sum(carts) AS carts
  FROM dw.product_days
  WHERE zone = $3 AND day BETWEEN $1::date AND $2::date
  GROUP BY product_id
)
SELECT left(CASE WHEN $7::text = 'brand' THEN brand ELSE category END, 100) AS value,
  sum(views)::float8 AS views, sum(carts)::float8 AS carts
FROM counted LEFT JOIN dw.products USING (product_id)
WHERE ($4::text = '' OR category = $4) AND ($5::text = '' OR brand = $5)
  AND ($6::text = '' OR position(lower($6) IN lower(coalesce(name, ''))) > 0
    OR position(lower($6) IN lower(product_id)) > 0)
GROUP BY 1
ORDER BY views DESC, carts DESC, value
LIMIT 12
