-- One page of the products that had an event, in an order.
-- $1 first day, $2 last day, $3 zone, $4 category ('' all), $5 brand ('' all), $6 search ('' all),
-- $7 order: views, carts, checkout_starts, checkouts, price, name, or conversion (adds per view) among products with at least a
-- twentieth of the views of the most viewed, $8 asc | desc, $9 rows before the page, $10 rows of the page
WITH counted AS (
  SELECT product_id, sum(views) AS views, sum(carts) AS carts,
    sum(checkout_starts) AS checkout_starts, sum(checkouts) AS checkouts
  FROM dw.product_days
  WHERE zone = $3 AND day BETWEEN $1::date AND $2::date
  GROUP BY product_id
), chosen AS (
  SELECT product_id, name, category, brand, price, discount_price, views, carts, checkout_starts, checkouts,
    (carts::float8 / nullif(views, 0)) AS conversion, max(views) OVER () AS most_views
  FROM counted LEFT JOIN dw.products USING (product_id)
  WHERE ($4::text = '' OR category = $4) AND ($5::text = '' OR brand = $5)
    AND ($6::text = '' OR position(lower($6) IN lower(coalesce(name, ''))) > 0
      OR position(lower($6) IN lower(product_id)) > 0)
), ranked AS (
  SELECT *, CASE WHEN $8::text = 'asc' THEN -1 ELSE 1 END * CASE $7::text WHEN 'carts' THEN carts WHEN 'checkout_starts' THEN checkout_starts
      WHEN 'checkouts' THEN checkouts WHEN 'conversion' THEN conversion WHEN 'price' THEN price WHEN 'views' THEN views END AS rank
  FROM chosen
  WHERE $7 <> 'conversion' OR views * 20 >= most_views AND views > 0
)
SELECT product_id, left(name, 200) AS name, left(category, 100) AS category, left(brand, 100) AS brand,
  price::float8, discount_price::float8, views::float8, carts::float8, checkout_starts::float8, checkouts::float8, conversion,
  count(*) OVER ()::float8 AS products
FROM ranked
ORDER BY rank DESC NULLS LAST, CASE WHEN $7 = 'name' AND $8 = 'asc' THEN name END, CASE WHEN $7 = 'name' AND $8 <> 'asc' THEN name END DESC NULLS LAST,
  views DESC, carts DESC, product_id
OFFSET $9::bigint LIMIT $10::bigint
