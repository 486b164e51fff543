-- Old days leave the table, and what the rollups know of them stays. Rows are removed by these functions alone: etl_writer still
-- may delete no event, and what they remove they take off the ledger in the same transaction.

-- Of the day of a zone that the line cuts, what its pruned hours added to dw.product_days, which is made from raw rows. All
-- else that a refresh makes anew follows from hours and sessions that are kept.
CREATE TABLE dw.pruned_products (LIKE dw.product_days);
GRANT SELECT ON dw.pruned_products TO etl_writer, dashboard_reader;

-- Moves the line behind `pruned`, while no batch is open: what loads after this counts the day's events as expired.
-- @returns null, or what has to happen before: 'rollups' are not up to date, 'export' is missing or stale
CREATE FUNCTION etl.close_day(pruned date, lake boolean) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '10s'
AS $$
DECLARE
  line timestamptz := (pruned + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
  PERFORM pg_advisory_xact_lock(7263002); -- every open batch holds it
  IF line <= (SELECT kept_from FROM etl.retention) THEN RETURN NULL; END IF;
  IF EXISTS (SELECT FROM dw.stale_hours WHERE hour < line) OR EXISTS (SELECT FROM dw.zones WHERE built_at IS NULL)
    OR (SELECT is_rebuilding FROM dw.state) THEN RETURN 'rollups'; END IF;
  IF lake AND EXISTS (SELECT FROM etl.lake_days WHERE day = pruned AND rows <> 0) AND NOT etl.freeze_export(pruned) THEN
    RETURN 'export';
  END IF;
  DELETE FROM dw.pruned_products;
  INSERT INTO dw.pruned_products
  SELECT zone, (line AT TIME ZONE zone)::date, context_product_id,
    count(*) FILTER (WHERE event_name = 'product_view'), count(*) FILTER (WHERE event_name = 'add_to_cart_click'),
    count(*) FILTER (WHERE event_name = 'checkout_start'), count(*) FILTER (WHERE event_name = 'checkout_complete'),
    min(coalesce(context_product_discount_price, context_product_price)),
    max(coalesce(context_product_discount_price, context_product_price))
  FROM dw.zones, public.clickstream_events
  WHERE event_timestamp >= line - interval '25 hours' AND event_timestamp < line AND context_product_id IS NOT NULL
    AND event_timestamp >= (line AT TIME ZONE zone)::date::timestamp AT TIME ZONE zone
  GROUP BY 1, 2, 3;
  UPDATE etl.retention SET kept_from = line;
  RETURN NULL;
END $$;

-- Removes at most `most` events and as many details of an hour below the line. @returns how many of either
CREATE FUNCTION etl.prune_hour(pruned timestamptz, most int, OUT events bigint, OUT details bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
  IF pruned + interval '1 hour' > (SELECT kept_from FROM etl.retention) THEN
    RAISE EXCEPTION 'The hour % is kept: close its day first.', pruned;
  END IF;
  WITH gone AS (
    DELETE FROM public.clickstream_events WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM public.clickstream_events
      WHERE event_timestamp >= pruned AND event_timestamp < pruned + interval '1 hour' LIMIT most))
    RETURNING event_id
  ), noted AS (
    INSERT INTO etl.loaded_hours (hour, rows, ids, cause)
    SELECT pruned, -count(*), -sum(uuid_hash(event_id)::bigint), 'pruned' FROM gone HAVING count(*) > 0
  )
  SELECT count(*) FROM gone INTO events;
  WITH gone AS (
    DELETE FROM public.clickstream_event_details WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM public.clickstream_event_details
      WHERE event_timestamp >= pruned AND event_timestamp < pruned + interval '1 hour' LIMIT most))
    RETURNING 1
  ), noted AS (
    INSERT INTO etl.loaded_hours (hour, rows, ids, details, cause)
    SELECT pruned, 0, 0, -count(*), 'pruned' FROM gone HAVING count(*) > 0
  )
  SELECT count(*) FROM gone INTO details;
END $$;

REVOKE ALL ON FUNCTION etl.close_day(date, boolean), etl.prune_hour(timestamptz, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.close_day(date, boolean), etl.prune_hour(timestamptz, int) TO etl_writer;

-- By default a table is vacuumed when a fifth of it is dead: with 90 days kept that is 18 days pruned. At a fiftieth the room
-- of a day is free for the rows of the next ones.
ALTER TABLE public.clickstream_events SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE public.clickstream_event_details SET (autovacuum_vacuum_scale_factor = 0.02);

-- Quarantine's text and the records of runs have a retention of their own; a reject that stands keeps its row and its count.
CREATE INDEX rejects_to_prune ON etl.rejects (rejected_at) WHERE raw <> '' OR requeued_at IS NOT NULL;
CREATE FUNCTION etl.prune_rejects(before timestamptz, most int) RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
AS $$
  WITH old AS (
    SELECT reject_id, requeued_at FROM etl.rejects
    WHERE rejected_at < before AND (raw <> '' OR requeued_at IS NOT NULL) LIMIT most
  ), gone AS (
    DELETE FROM etl.rejects r USING old WHERE r.reject_id = old.reject_id AND old.requeued_at IS NOT NULL
  ), emptied AS (
    UPDATE etl.rejects r SET raw = '', detail = 'Its text was kept as long as texts are.'
    FROM old WHERE r.reject_id = old.reject_id AND old.requeued_at IS NULL
  )
  SELECT count(*) FROM old
$$;
CREATE FUNCTION etl.prune_runs(before timestamptz, most int) RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
AS $$
  WITH gone AS (
    DELETE FROM etl.runs WHERE run_id IN (SELECT run_id FROM etl.runs WHERE started_at < before LIMIT most) RETURNING 1
  )
  SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION etl.prune_rejects(timestamptz, int), etl.prune_runs(timestamptz, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.prune_rejects(timestamptz, int), etl.prune_runs(timestamptz, int) TO etl_writer;

COMMENT ON TABLE dw.pruned_products IS 'Of the day of each zone that the line cuts, what its pruned hours add to dw.product_days.';
COMMENT ON COLUMN dw.pruned_products.zone IS 'The time zone.';
COMMENT ON COLUMN dw.pruned_products.day IS 'Its day that the line cuts.';
COMMENT ON COLUMN dw.pruned_products.product_id IS 'The product.';
COMMENT ON COLUMN dw.pruned_products.views IS 'product_view events of the pruned hours.';
COMMENT ON COLUMN dw.pruned_products.carts IS 'add_to_cart_click events of the pruned hours.';
COMMENT ON COLUMN dw.pruned_products.checkout_starts IS 'checkout_start events of the pruned hours.';
COMMENT ON COLUMN dw.pruned_products.checkouts IS 'checkout_complete events of the pruned hours.';
COMMENT ON COLUMN dw.pruned_products.lowest_price IS 'Lowest price it was offered for in the pruned hours.';
COMMENT ON COLUMN dw.pruned_products.highest_price IS 'Highest price it was offered for in the pruned hours.';
