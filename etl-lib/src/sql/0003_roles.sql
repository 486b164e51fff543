-- Three roles: dwh_owner migrates, etl_writer loads, dashboard_reader reads. The warehouse host makes them with
-- their passwords before it migrates; anywhere else they are made here, without a login.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['dwh_owner', 'etl_writer', 'dashboard_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- another database of this server was migrated at the same moment
      END;
    END IF;
  END LOOP;
END
$$;

GRANT USAGE ON SCHEMA etl TO etl_writer, dashboard_reader;
GRANT SELECT, INSERT ON public.clickstream_events TO etl_writer;
GRANT SELECT, INSERT, UPDATE ON etl.runs, etl.objects, etl.rejects TO etl_writer;
GRANT SELECT ON etl.migrations TO etl_writer, dashboard_reader;
GRANT SELECT ON public.clickstream_events, etl.runs, etl.objects TO dashboard_reader;
GRANT SELECT (reject_id, bucket, key, etag, position, cause, detail, run_id, rejected_at, requeued_at)
  ON etl.rejects TO dashboard_reader; -- not the raw text: it may hold what a visitor typed
