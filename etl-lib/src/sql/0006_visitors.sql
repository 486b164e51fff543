-- Distinct visitors of any range of days at the cost of a few thousand short rows: each client gets a number, a day keeps
-- the numbers of its clients as sets of bits, and the union of days is their bitwise OR. So dw.visits, which 0004 kept for
-- that, holds numbers now.
LOCK TABLE dw.state IN SHARE ROW EXCLUSIVE MODE; -- no refresh meanwhile
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

INSERT INTO dw.clients (client_id)
SELECT client_id FROM dw.visits WHERE client_id IS NOT NULL GROUP BY client_id ORDER BY min(hour);
ALTER TABLE dw.visits ADD COLUMN client integer;
UPDATE dw.visits v SET client = c.client FROM dw.clients c WHERE c.client_id = v.client_id;
ALTER TABLE dw.visits DROP COLUMN client_id;
INSERT INTO dw.day_clients
SELECT zone, (hour AT TIME ZONE zone)::date, user_login_state, dw.chunk_of(client), bit_or(dw.bit_of(client))
FROM dw.visits, dw.zones WHERE client IS NOT NULL AND built_at IS NOT NULL GROUP BY 1, 2, 3, 4;

-- A day is told by its first instant, so it must not begin twice, as where clocks go back at midnight (Havana, the Azores).
CREATE FUNCTION dw.days_begin_once(zone text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT NOT EXISTS (
    SELECT FROM generate_series(timestamp '2020-01-01', timestamp '2040-01-01', interval '1 day') AS day
    WHERE ((day AT TIME ZONE zone) - interval '1 hour') AT TIME ZONE zone >= day)
$$;
ALTER TABLE dw.zones ADD CONSTRAINT zones_days_begin_once CHECK (dw.days_begin_once(zone));

-- The funnel's steps are read once for every event: an expression costs a third of a join with a table of them.
CREATE FUNCTION dw.funnel_step(event_name text) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE event_name
    WHEN 'page_view' THEN 1::smallint WHEN 'home_view' THEN 1::smallint WHEN 'category_view' THEN 1::smallint
    WHEN 'product_view' THEN 2::smallint WHEN 'add_to_cart_click' THEN 3::smallint
    WHEN 'checkout_start' THEN 4::smallint WHEN 'checkout_complete' THEN 5::smallint ELSE 0::smallint END
$$;
DROP TABLE dw.funnel_steps;

GRANT SELECT ON dw.clients, dw.day_clients TO etl_writer, dashboard_reader;
GRANT INSERT, DELETE ON dw.clients, dw.day_clients TO etl_writer;
