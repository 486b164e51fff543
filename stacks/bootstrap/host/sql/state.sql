-- What host/state says, a line a fact on standard input, and what PostgreSQL knows of itself.
CREATE TEMP TABLE fact (name text NOT NULL, value text);
\copy fact FROM pstdin
INSERT INTO etl.host_state
SELECT now(),
  max(value) FILTER (WHERE name = 'data_size_mb')::bigint, max(value) FILTER (WHERE name = 'data_free_mb')::bigint,
  max(value) FILTER (WHERE name = 'root_size_mb')::bigint, max(value) FILTER (WHERE name = 'root_free_mb')::bigint,
  max(value) FILTER (WHERE name = 'memory_size_mb')::bigint, max(value) FILTER (WHERE name = 'memory_free_mb')::bigint,
  max(value) FILTER (WHERE name = 'load')::real, max(value) FILTER (WHERE name = 'processors')::int,
  pg_database_size(current_database()), (SELECT sum(size) FROM pg_ls_waldir()),
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  current_setting('max_connections')::int,
  (SELECT sum(n_live_tup) FROM pg_stat_user_tables), (SELECT sum(n_dead_tup) FROM pg_stat_user_tables),
  coalesce(array_agg(value ORDER BY value) FILTER (WHERE name = 'failed_unit'), '{}'),
  max(value) FILTER (WHERE name = 'backup_at')::timestamptz, max(value) FILTER (WHERE name = 'backup_detail')::bigint,
  max(value) FILTER (WHERE name = 'drill_at')::timestamptz, max(value) FILTER (WHERE name = 'drill_detail'),
  max(value) FILTER (WHERE name = 'patch_at')::timestamptz, max(value) FILTER (WHERE name = 'patch_detail'),
  max(value) FILTER (WHERE name = 'journals_at')::timestamptz,
  max(value) FILTER (WHERE name = 'certificate_until')::timestamptz,
  coalesce(array_agg(value) FILTER (WHERE name = 'journal_error'), '{}')
FROM fact;
DELETE FROM etl.host_state WHERE at < now() - interval '30 days';
