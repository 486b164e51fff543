-- One product day by day, empty days included. $1 first day, $2 last day, $3 zone, $4 product
SELECT to_char(series.day, 'YYYY-MM-DD') AS day, coalesce(sum(views), 0)::float8 AS views, coalesce(sum(carts), 0)::float8 AS carts,
  coalesce(sum(checkout_starts), 0)::float8 AS checkout_starts, coalesce(sum(checkouts), 0)::float8 AS checkouts,
  min(lowest_price)::float8 AS lowest_price, max(highest_price)::float8 AS highest_price
FROM generate_series($1::date::timestamp, $2::date::timestamp, interval '1 day') AS series (day)
LEFT JOIN dw.product_days ON zone = $3 AND product_days.day = series.day::date AND product_days.day BETWEEN $1::date AND $2::date
  AND product_id = $4
GROUP BY 1
ORDER BY 1
