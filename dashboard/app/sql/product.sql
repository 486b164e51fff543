-- The newest description of a product. $1 product, $2 zone
SELECT left(name, 200) AS name, left(category, 100) AS category, left(brand, 100) AS brand, price::float8, discount_price::float8,
  left(url_path, 200) AS url_path, to_char(seen_at AT TIME ZONE $2, 'YYYY-MM-DD HH24:MI:SS') AS seen
FROM dw.products WHERE product_id = $1
