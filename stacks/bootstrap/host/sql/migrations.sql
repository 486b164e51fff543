-- Ahead of all migrations: the role, the lock (held to the end of the session) and the list of what was applied.
SET client_min_messages = warning;
SELECT pg_advisory_lock(7263001) \g /dev/null
SET ROLE :"owner";
CREATE SCHEMA IF NOT EXISTS etl;
CREATE TABLE IF NOT EXISTS etl.migrations (
  version int PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
