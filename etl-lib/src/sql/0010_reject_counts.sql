-- Of an object full of rejects quarantine keeps the first ones; a row by cause counts the rest.
ALTER TABLE etl.rejects ADD COLUMN records bigint NOT NULL DEFAULT 1 CHECK (records > 0);
GRANT SELECT (records) ON etl.rejects TO dashboard_reader;
