-- Rollups: what the dashboard reads instead of raw rows. Always a function of public.clickstream_events, brought up
-- to date by each run for what its batches touched. See docs/decisions/2026-11-22-rollups.md.
--
-- Text of a visitor's browser can be 4,096 characters long and a B-tree entry only 2,704 bytes, so no B-tree here holds
-- such text: uniqueness is kept by the refresh, which runs one at a time, and by hash indexes.
CREATE SCHEMA dw;

-- The zones a day can be told in. Add a row and the next refresh fills its days. Hours are UTC hours, so only zones
-- that lie whole hours from UTC can be summed from them.
CREATE TABLE dw.zones (
  zone text PRIMARY KEY,
  is_default boolean NOT NULL DEFAULT false,
  built_at timestamptz, -- null: the next refresh makes all days of this zone
  CONSTRAINT zones_whole_hours CHECK (
    extract(minute FROM timestamptz '2024-01-15 00:00Z' AT TIME ZONE zone) = 0
    AND extract(minute FROM timestamptz '2024-07-15 00:00Z' AT TIME ZONE zone) = 0
  )
);
CREATE UNIQUE INDEX zones_one_default ON dw.zones (is_default) WHERE is_default;
INSERT INTO dw.zones (zone, is_default) VALUES ('Asia/Ho_Chi_Minh', true), ('UTC', false);

-- The funnel: the step an event reaches. Events not named here reach none (0).
CREATE TABLE dw.funnel_steps (
  event_name text PRIMARY KEY,
  step smallint NOT NULL CHECK (step BETWEEN 1 AND 5)
);
INSERT INTO dw.funnel_steps VALUES
  ('page_view', 1), ('home_view', 1), ('category_view', 1),
  ('product_view', 2), ('add_to_cart_click', 3), ('checkout_start', 4), ('checkout_complete', 5);

-- Append-only queue: a batch adds the hours it touched in its own transaction; a refresh removes exactly the marks it saw.
CREATE TABLE dw.stale_hours (
  mark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hour timestamptz NOT NULL,
  marked_at timestamptz NOT NULL DEFAULT now()
);
-- A warehouse that was filled before there were rollups.
INSERT INTO dw.stale_hours (hour)
SELECT DISTINCT date_trunc('hour', event_timestamp, 'UTC') FROM public.clickstream_events;

-- One row. `version` grows with every refresh that changed something: the key for whatever caches the rollups.
-- A refresh holds a lock on this table, so two never run at once.
CREATE TABLE dw.state (
  state_id boolean PRIMARY KEY DEFAULT true CHECK (state_id),
  version bigint NOT NULL DEFAULT 0,
  refreshed_at timestamptz,
  newest_event_at timestamptz -- of all events
);
INSERT INTO dw.state DEFAULT VALUES;

-- Events by UTC hour, name and login state (null: none given).
CREATE TABLE dw.hourly_events (
  hour timestamptz NOT NULL,
  event_name text NOT NULL,
  user_login_state text,
  events bigint NOT NULL
);
CREATE INDEX hourly_events_hour ON dw.hourly_events (hour);

-- Who was there in a UTC hour: one row per client, user, session and login state (each null when not given).
-- For exact distinct counts over any range of hours, and the source of dw.days and dw.sessions.
CREATE TABLE dw.visits (
  hour timestamptz NOT NULL,
  client_id text COLLATE "C",
  user_id text COLLATE "C",
  session_id text COLLATE "C",
  user_login_state text COLLATE "C",
  events bigint NOT NULL,
  first_event_at timestamptz NOT NULL,
  last_event_at timestamptz NOT NULL,
  furthest_step smallint NOT NULL,
  checkout_step smallint NOT NULL -- furthest of the checkout events that name no product
);
CREATE INDEX visits_hour ON dw.visits (hour);

-- Exact distinct counts by day of a zone. Nulls are not counted. They do not add up over days: see dw.visits.
CREATE TABLE dw.days (
  zone text NOT NULL,
  day date NOT NULL,
  events bigint NOT NULL,
  clients bigint NOT NULL,
  users bigint NOT NULL,
  sessions bigint NOT NULL,
  PRIMARY KEY (zone, day)
);

-- The pairs of category and brand that events named.
CREATE TABLE dw.product_groups (
  product_group integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  category text COLLATE "C",
  brand text COLLATE "C"
);

-- One row per session id. A session belongs to the hour and day of its first event.
CREATE TABLE dw.sessions (
  session_id text COLLATE "C" NOT NULL,
  first_event_at timestamptz NOT NULL,
  last_event_at timestamptz NOT NULL,
  furthest_step smallint NOT NULL, -- 0 none, 1 view … 5 checkout_complete
  -- The greatest of its events' states in byte order, which puts logged_in above guest above anonymous.
  user_login_state text COLLATE "C",
  checkout_step smallint NOT NULL, -- furthest of its checkout events that name no product
  -- product_group * 8 + furthest step of its events that name a product of that group; one entry a group.
  product_steps integer[] NOT NULL DEFAULT '{}',
  EXCLUDE USING hash (session_id WITH =)
);
CREATE INDEX sessions_first_event_at ON dw.sessions (first_event_at);

-- The newest description of each product (of its newest event; of equally new ones the greatest, column by column).
CREATE TABLE dw.products (
  product_id text COLLATE "C" NOT NULL,
  name text,
  category text,
  brand text,
  price numeric,
  discount_price numeric,
  url_path text,
  seen_at timestamptz NOT NULL,
  EXCLUDE USING hash (product_id WITH =)
);

-- Events of each product by day of a zone: product_view, add_to_cart_click, checkout_start, checkout_complete.
CREATE TABLE dw.product_days (
  zone text NOT NULL,
  day date NOT NULL,
  product_id text COLLATE "C" NOT NULL,
  views bigint NOT NULL,
  carts bigint NOT NULL,
  checkout_starts bigint NOT NULL,
  checkouts bigint NOT NULL
);
CREATE INDEX product_days_day ON dw.product_days (zone, day);

-- The funnel by the day a session began: how many sessions reached each step or a later one.
-- dimension `all`: every session, value null. dimension `category` or `brand`: the sessions with an event that names
-- a product of it (value null: a product without one), by the furthest step of those events; once such a session has put
-- that category or brand in its cart, its checkout events that name no product count too.
CREATE TABLE dw.funnel_days (
  zone text NOT NULL,
  day date NOT NULL,
  dimension text NOT NULL CHECK (dimension IN ('all', 'category', 'brand')),
  value text,
  user_login_state text, -- the session's, see dw.sessions
  sessions bigint NOT NULL,
  views bigint NOT NULL,
  product_views bigint NOT NULL,
  carts bigint NOT NULL,
  checkout_starts bigint NOT NULL,
  checkouts bigint NOT NULL
);
CREATE INDEX funnel_days_day ON dw.funnel_days (zone, day);

GRANT USAGE ON SCHEMA dw TO etl_writer, dashboard_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA dw TO etl_writer, dashboard_reader;
GRANT INSERT, DELETE ON dw.stale_hours TO etl_writer;
GRANT UPDATE ON dw.state TO etl_writer;
GRANT UPDATE (built_at) ON dw.zones TO etl_writer;
GRANT INSERT, UPDATE, DELETE ON dw.hourly_events, dw.visits, dw.days, dw.sessions, dw.products, dw.product_days,
  dw.product_groups, dw.funnel_days TO etl_writer;
