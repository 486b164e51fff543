-- Who asks questions of their own: a role that reads events, details and rollups, nothing of the bookkeeping (quarantine holds
-- what visitors typed), and views whose names and columns stay while the tables below them change.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'analyst') THEN
    CREATE ROLE analyst NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- another database of this server was migrated at the same moment
END
$$;

CREATE SCHEMA analytics;
COMMENT ON SCHEMA analytics IS 'Views for analysts and their tools: their names and columns stay.';

CREATE VIEW analytics.events AS
SELECT event_id, event_timestamp, event_name, user_id, user_login_state, identity_source, client_id, session_id, is_first_visit,
  context_product_id, context_product_name, context_product_category, context_product_brand, context_product_price,
  context_product_discount_price, context_product_url_path
FROM public.clickstream_events;

-- Not joined to the events: a condition on the time of one side would not reach the other, and all of it would be read.
CREATE VIEW analytics.event_details AS
SELECT event_id, event_timestamp, page_url, referrer, referrer_host, utm_source, utm_medium, utm_campaign, device, browser, os,
  is_bot, extras
FROM public.clickstream_event_details;

CREATE VIEW analytics.sessions AS
SELECT session_id, first_event_at, last_event_at, user_login_state, furthest_step,
  (ARRAY['none', 'view', 'product_view', 'cart', 'checkout_start', 'checkout'])[furthest_step + 1] AS furthest_step_name
FROM dw.sessions;

CREATE VIEW analytics.products AS
SELECT product_id, name, category, brand, price, discount_price, url_path, seen_at FROM dw.products;

CREATE VIEW analytics.hourly_events AS
SELECT hour, event_name, user_login_state, events, order_value, priced_orders FROM dw.hourly_events;

-- Of one zone: who forgets a condition on it would count each event once a zone.
CREATE VIEW analytics.days AS
SELECT day, events, clients, users, sessions
FROM dw.days WHERE zone = (SELECT zone FROM dw.zones WHERE is_default);

CREATE VIEW analytics.product_days AS
SELECT day, product_id, views, carts, checkout_starts, checkouts, lowest_price, highest_price
FROM dw.product_days WHERE zone = (SELECT zone FROM dw.zones WHERE is_default);

CREATE VIEW analytics.funnel_days AS
SELECT day, dimension, value, user_login_state, sessions, views, product_views, carts, checkout_starts, checkouts
FROM dw.funnel_days WHERE zone = (SELECT zone FROM dw.zones WHERE is_default);

GRANT USAGE ON SCHEMA dw, analytics TO analyst;
GRANT SELECT ON public.clickstream_events, public.clickstream_event_details TO analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA dw, analytics TO analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA dw, analytics GRANT SELECT ON TABLES TO analyst; -- what later migrations make there

COMMENT ON VIEW analytics.events IS 'The shop''s events, one row each. Put a condition on event_timestamp: the table is found by it.';
COMMENT ON VIEW analytics.event_details IS 'What analytics.events leaves out of an event: one row an event. Join on event_id and event_timestamp, with the condition on event_timestamp for both.';
COMMENT ON VIEW analytics.sessions IS 'One row a session id. A session belongs to the hour and day of its first event.';
COMMENT ON VIEW analytics.products IS 'The newest description of each product.';
COMMENT ON VIEW analytics.hourly_events IS 'Events by UTC hour, name and login state.';
COMMENT ON VIEW analytics.days IS 'Exact counts by day of the default zone. Clients, users and sessions do not add up over days.';
COMMENT ON VIEW analytics.product_days IS 'What happened to each product, by day of the default zone.';
COMMENT ON VIEW analytics.funnel_days IS 'The funnel by the day a session began, in the default zone. Each dimension counts every session it knows, so take one dimension at a time.';

-- A column of a view means what the column below it does.
DO $$
DECLARE
  shown record;
BEGIN
  FOR shown IN
    SELECT view.attrelid::regclass AS view, view.attname AS name, col_description(below.attrelid, below.attnum) AS text
    FROM (VALUES ('analytics.events'::regclass, 'public.clickstream_events'::regclass),
      ('analytics.event_details', 'public.clickstream_event_details'), ('analytics.sessions', 'dw.sessions'),
      ('analytics.products', 'dw.products'), ('analytics.hourly_events', 'dw.hourly_events'), ('analytics.days', 'dw.days'),
      ('analytics.product_days', 'dw.product_days'), ('analytics.funnel_days', 'dw.funnel_days')) AS pair (view, below)
    JOIN pg_attribute view ON view.attrelid = pair.view AND view.attnum > 0
    JOIN pg_attribute below ON below.attrelid = pair.below AND below.attname = view.attname
  LOOP
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', shown.view, shown.name, shown.text);
  END LOOP;
END $$;
COMMENT ON COLUMN analytics.sessions.furthest_step_name IS 'That step by its name: none, view, product_view, cart, checkout_start or checkout.';
