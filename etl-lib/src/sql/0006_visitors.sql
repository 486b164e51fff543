-- Distinct visitors of any range of days at the cost of a few thousand short rows: each client gets a number, a day keeps
-- the numbers of its clients as sets of bits, and the union of days is their bitwise OR.
CREATE TABLE dw.clients (
  client integer GENERATED ALWAYS AS IDENTITY (MINVALUE 0), -- nothing looks a number up
  client_id text COLLATE "C" NOT NULL,
  EXCLUDE USING hash (client_id WITH =)
);

-- A set of clients is cut into chunks of 4,096 numbers; chunks without a client have no row.
CREATE FUNCTION dw.chunk_of(client integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT client / 4096';
CREATE FUNCTION dw.bit_of(client integer) RETURNS bit LANGUAGE sql IMMUTABLE
  AS 'SELECT set_bit(0::bit(4096), client % 4096, 1)';

-- Who was there on a day of a zone, by login state (null: none given).
CREATE TABLE dw.day_clients (
  zone text NOT NULL,
  day date NOT NULL,
  user_login_state text COLLATE "C",
  chunk integer NOT NULL,
  clients bit(4096) NOT NULL
);
CREATE INDEX day_clients_day ON dw.day_clients (zone, day);

ALTER TABLE dw.visits DROP COLUMN client_id, ADD COLUMN client integer;

-- The funnel's steps are read once for every event: an expression costs a third of a join.
CREATE FUNCTION dw.funnel_step(event_name text) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE event_name
    WHEN 'page_view' THEN 1::smallint WHEN 'home_view' THEN 1::smallint WHEN 'category_view' THEN 1::smallint
    WHEN 'product_view' THEN 2::smallint WHEN 'add_to_cart_click' THEN 3::smallint
    WHEN 'checkout_start' THEN 4::smallint WHEN 'checkout_complete' THEN 5::smallint ELSE 0::smallint END
$$;
DROP TABLE dw.funnel_steps;

GRANT SELECT ON dw.clients, dw.day_clients TO etl_writer, dashboard_reader;
GRANT INSERT, DELETE ON dw.clients, dw.day_clients TO etl_writer;

-- Visits have no clients yet: make all hours anew.
INSERT INTO dw.stale_hours (hour) SELECT DISTINCT hour FROM dw.hourly_events;
