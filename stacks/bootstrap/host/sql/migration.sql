-- One migration: skipped when it was applied, refused when it was applied with other bytes.
SELECT count(*) = 0 AS pending, coalesce(bool_or(checksum <> :'checksum'), false) AS changed
FROM etl.migrations WHERE version = :version \gset
SELECT format('DO $do$ BEGIN RAISE EXCEPTION %L; END $do$',
  'the applied migration ' || :'name' || ' was changed: add a new one instead') WHERE :'changed' \gexec
\if :pending
BEGIN;
\i :file
INSERT INTO etl.migrations (version, name, checksum) VALUES (:version, :'name', :'checksum');
COMMIT;
\warn 'clickstream: applied' :name
\endif
