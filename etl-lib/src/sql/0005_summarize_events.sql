-- A block-range index says nothing of blocks that are not summarized yet, and autovacuum summarizes minutes after a load:
-- a refresh right behind it would read all of them for every hour it looks for. Only the index's owner may summarize.
CREATE FUNCTION dw.summarize_events() RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
  AS $$ SELECT brin_summarize_new_values('public.clickstream_events_event_timestamp') $$;
REVOKE ALL ON FUNCTION dw.summarize_events() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dw.summarize_events() TO etl_writer;
