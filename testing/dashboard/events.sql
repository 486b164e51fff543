-- Two weeks of a small shop, the same on every machine: what the panels' SQL is held against, and what the browser
-- tests look at. With what real data has: no login state, no client, no session, unknown names, hostile and long text.
WITH sessions AS (
  SELECT s, md5('s' || s) AS hash,
    timestamptz '2025-11-24 00:00+07' + (s * 7919 % 19440) * interval '1 minute' AS began, -- 13.5 days
    CASE s % 10 WHEN 0 THEN NULL WHEN 1 THEN 'guest' WHEN 2 THEN 'logged_in' WHEN 3 THEN 'logged_in' ELSE 'anonymous' END AS state,
    CASE WHEN s % 17 = 0 THEN NULL ELSE 'client-' || s % 211 END AS client,
    CASE WHEN s % 23 = 0 THEN NULL ELSE 'session-' || s END AS session,
    s * s % 13 + 1 AS product
  FROM generate_series(1, 900) AS s
), steps AS (
  SELECT *, CASE
    WHEN s % 20 = 0 THEN ARRAY['home_view', 'product_view', 'add_to_cart_click', 'checkout_start', 'checkout_complete']
    WHEN s % 20 = 1 THEN ARRAY['page_view', 'product_view', 'add_to_cart_click', 'checkout_start']
    WHEN s % 20 < 5 THEN ARRAY['category_view', 'product_view', 'wishlist_toggle', 'add_to_cart_click']
    WHEN s % 20 < 12 THEN ARRAY['home_view', 'product_view', 'click', 'product_view']
    WHEN s % 20 < 19 THEN ARRAY['home_view', 'click']
    ELSE ARRAY['brand_new_event', '<img src=x onerror=alert(1)>'] END AS names
  FROM sessions
)
INSERT INTO public.clickstream_events
SELECT md5('event-' || s || '-' || n)::uuid, began + n * interval '25 minutes', event.name,
  CASE WHEN state = 'logged_in' THEN 'user-' || s % 97 END, state, NULL, client, session, s % 3 = 0,
  p.id, p.name, p.category, p.brand, p.price, CASE WHEN s % 2 = 0 THEN p.price * 0.9 END, '/product/' || p.id
FROM steps
CROSS JOIN LATERAL unnest(names) WITH ORDINALITY AS event (name, n)
LEFT JOIN LATERAL (
  SELECT 'sku-' || product AS id,
    CASE product WHEN 3 THEN '<script>alert("xss")</script>' WHEN 4 THEN '=HYPERLINK("http://x")' WHEN 5 THEN repeat('Áo khoác rất dài ', 20)
      ELSE (ARRAY['Laptop Acer Nitro V', 'Điện thoại Samsung Galaxy', 'Tai nghe Sony WH-1000', 'Chuột Logitech MX'])[product % 4 + 1] || ' ' || product END AS name,
    CASE product WHEN 6 THEN NULL ELSE (ARRAY['Laptop', 'Điện thoại', 'Tai nghe', 'Phụ kiện'])[product % 4 + 1] END AS category,
    CASE product WHEN 7 THEN NULL ELSE (ARRAY['Acer', 'Samsung', 'Sony', 'Logitech'])[product % 4 + 1] END AS brand,
    CASE product WHEN 8 THEN 19.99 ELSE product * 1490000 END AS price
) AS p ON event.name IN ('product_view', 'add_to_cart_click', 'wishlist_toggle') OR event.name = 'checkout_complete' AND s % 40 = 0;

-- What their details say, of nine sessions in ten: bots, no user agent, a hostile campaign, a formula for a referrer.
INSERT INTO public.clickstream_event_details (event_id, event_timestamp, page_url, referrer, referrer_host, utm_source, utm_medium,
  utm_campaign, device, browser, is_bot)
SELECT event_id, event_timestamp, 'https://www.shop.vn' || CASE s % 7 WHEN 0 THEN '' WHEN 1 THEN '/?utm_source=fb' ELSE '/p/' || s % 5 || '?token=secret#x' END,
  NULL, CASE s % 6 WHEN 0 THEN 'google.com' WHEN 1 THEN 'shop.vn' WHEN 2 THEN '=cmd.example' END,
  CASE WHEN s % 7 = 1 THEN 'fb' END, NULL, CASE s % 21 WHEN 1 THEN '<img src=x onerror=alert(1)>' WHEN 8 THEN 'Tết' END,
  CASE s % 8 WHEN 0 THEN NULL WHEN 1 THEN 'bot' WHEN 2 THEN 'desktop' ELSE 'mobile' END,
  CASE s % 8 WHEN 0 THEN NULL WHEN 1 THEN 'Googlebot' ELSE 'Chrome' END, CASE s % 8 WHEN 0 THEN NULL ELSE s % 8 = 1 END
FROM public.clickstream_events, LATERAL (SELECT substring(session_id FROM '[0-9]+')::int AS s) AS session
WHERE s % 10 <> 9;

INSERT INTO etl.runs (run_id, trigger, bucket, status, started_at, finished_at, events, warnings, error) VALUES
  (md5('1')::uuid, 'schedule', 'clickstream-s3-ingest', 'succeeded', now() - interval '3 hours', now() - interval '179 minutes',
    '{"read": 3000, "inserted": 2950, "duplicates": 38, "rejected": 12}', '{"user_id": {"cut": 2}, "context_product_price": {"wrong_type": 31}}', NULL),
  (md5('2')::uuid, 'local', 'clickstream-s3-ingest', 'failed', now() - interval '40 days', now() - interval '40 days',
    '{"read": 0, "inserted": 0, "duplicates": 0, "rejected": 0}', '{"user_id": {"cut": 5}}',
    '{"kind": "fatal", "stage": "plan", "message": "the bucket does not exist", "object": null}');
INSERT INTO etl.rejects (bucket, key, etag, position, cause, detail, raw, run_id, rejected_at, requeued_at)
SELECT 'clickstream-s3-ingest', 'events/2025/12/06/' || i % 3 || '.json', 'e', i,
  CASE WHEN i % 4 = 0 THEN 'missing_event_name' ELSE 'invalid_json' END, 'what is wrong', 'secret text', md5('1')::uuid,
  CASE WHEN i = 12 THEN now() - interval '40 days' ELSE now() - interval '3 hours' END, CASE WHEN i = 1 THEN now() END
FROM generate_series(1, 13) AS i;

UPDATE etl.runs SET contract = '{"checked": 2900, "findings": [{"event": "click", "field": "element.tag", "kind": "missing", "events": 7},
  {"event": "product_view", "field": "product.price", "kind": "type", "events": 31}]}' WHERE status = 'succeeded';
INSERT INTO etl.lookbacks (bucket, since, swept_at, sweep_started_at)
VALUES ('clickstream-s3-ingest', now() - interval '9 days', now() - interval '5 hours', now() - interval '10 minutes');
INSERT INTO etl.host_state (at, data_size_mb, data_free_mb, root_size_mb, root_free_mb, memory_size_mb, memory_free_mb, load, processors,
  database_bytes, wal_bytes, connections, max_connections, failed_units, backup_at, journal_errors)
VALUES (now() - interval '2 minutes', 1000, 250, 1000, 600, 4000, 1000, 0.7, 2, 1, 1, 10, 100, ARRAY['<b>backup.service'], now() - interval '3 hours', '{}');
INSERT INTO dw.alerts (rule, evaluated_at, value, expected, is_raised, since, detail) VALUES
  ('new_event_name', now(), 2, NULL, true, now() - interval '2 hours', '<img src=x onerror=alert(1)>, brand_new_event'),
  ('conversion_fell', now(), 0.05, 0.06, false, NULL, NULL);
