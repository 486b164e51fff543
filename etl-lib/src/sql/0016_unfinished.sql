-- Objects that a run broke off because its time budget gave them too little: later runs read them last.
CREATE TABLE etl.unfinished (
  bucket text NOT NULL,
  key text NOT NULL,
  etag text NOT NULL,
  run_id uuid NOT NULL,
  noted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (bucket, key, etag)
);
GRANT SELECT, INSERT, UPDATE ON etl.unfinished TO etl_writer;
GRANT SELECT ON etl.unfinished TO dashboard_reader;
