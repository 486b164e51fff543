-- $1 sessions, of eight events each, spread evenly over the last $2 days; two thousand products, a client for three sessions.
INSERT INTO public.clickstream_events
SELECT gen_random_uuid(), began + n * interval '37 seconds', name,
  CASE WHEN s % 4 = 0 THEN 'user-' || s % 50000 END,
  CASE WHEN s % 4 = 0 THEN 'logged_in' WHEN s % 4 = 1 THEN 'guest' ELSE 'anonymous' END,
  NULL, md5('client ' || s % ($1::bigint / 3 + 1)), md5('session ' || s), s % 3 = 0,
  CASE WHEN of_product THEN 'sku-' || product END, CASE WHEN of_product THEN 'Điện thoại Samsung Galaxy ' || product END,
  CASE WHEN of_product THEN 'Danh mục ' || product % 20 END, CASE WHEN of_product THEN 'Brand ' || product % 60 END,
  CASE WHEN of_product THEN product * 10000 END, NULL, CASE WHEN of_product THEN '/product/' || product END
FROM generate_series(1, $1::bigint) AS s
CROSS JOIN LATERAL (SELECT
  date_trunc('hour', now()) - $2::int * interval '1 day' * (1 - s::float8 / $1::bigint) AS began,
  (s * 7919 % 2003) AS product,
  CASE WHEN s % 25 = 0 THEN 8 WHEN s % 25 < 3 THEN 7 WHEN s % 25 < 7 THEN 6 ELSE 5 END AS depth) AS session
CROSS JOIN generate_series(1, 8) AS n
CROSS JOIN LATERAL (SELECT (ARRAY['home_view', 'click', 'category_view', 'product_view', 'product_view',
  CASE WHEN depth > 5 THEN 'add_to_cart_click' ELSE 'click' END, CASE WHEN depth > 6 THEN 'checkout_start' ELSE 'product_view' END,
  CASE WHEN depth > 7 THEN 'checkout_complete' ELSE 'click' END])[n] AS name) AS event
CROSS JOIN LATERAL (SELECT name IN ('product_view', 'add_to_cart_click') AS of_product) AS kind
