-- What the warehouse's host looks like, written every few minutes by the host itself (stacks/bootstrap/host/state), kept
-- for 30 days. Empty anywhere else.
CREATE TABLE etl.host_state (
  at timestamptz PRIMARY KEY,
  data_size_mb bigint NOT NULL,
  data_free_mb bigint NOT NULL,
  root_size_mb bigint NOT NULL,
  root_free_mb bigint NOT NULL,
  memory_size_mb bigint NOT NULL,
  memory_free_mb bigint NOT NULL, -- what could be given to a process without swapping
  load real NOT NULL, -- of the last minute
  processors int NOT NULL,
  database_bytes bigint NOT NULL,
  wal_bytes bigint NOT NULL,
  connections int NOT NULL,
  max_connections int NOT NULL,
  live_rows bigint, -- as the statistics have them
  dead_rows bigint,
  failed_units text[] NOT NULL,
  backup_at timestamptz, -- of the last that ended well, as all that follow
  backup_bytes bigint,
  drill_at timestamptz, -- a restore of the newest dump
  drill text,
  patch_at timestamptz,
  patch text,
  journals_at timestamptz,
  certificate_until timestamptz,
  journal_errors text[] NOT NULL -- of the last quarter of an hour, ten at most
);
GRANT SELECT ON etl.host_state TO etl_writer, dashboard_reader;
