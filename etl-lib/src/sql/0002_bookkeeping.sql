-- One row per run, written when it starts and again when it ends.
CREATE TABLE etl.runs (
  run_id uuid PRIMARY KEY,
  trigger text NOT NULL CHECK (trigger IN ('schedule', 'manual', 'local')),
  bucket text NOT NULL,
  prefix text,
  window_from timestamptz,
  window_to timestamptz,
  status text NOT NULL CHECK (status IN ('running', 'succeeded', 'partial', 'skipped', 'failed')),
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  objects jsonb NOT NULL DEFAULT '{}',
  events jsonb NOT NULL DEFAULT '{}',
  rejects jsonb NOT NULL DEFAULT '{}',
  warnings jsonb NOT NULL DEFAULT '{}',
  timings jsonb NOT NULL DEFAULT '{}',
  error jsonb
);
CREATE INDEX runs_started_at ON etl.runs (started_at DESC);

-- The ledger: one row per object version loaded, written in the transaction of its rows.
CREATE TABLE etl.objects (
  bucket text NOT NULL,
  key text NOT NULL,
  etag text NOT NULL,
  size bigint NOT NULL,
  last_modified timestamptz NOT NULL,
  read bigint NOT NULL,
  inserted bigint NOT NULL,
  duplicates bigint NOT NULL,
  rejected bigint NOT NULL,
  run_id uuid NOT NULL,
  loaded_at timestamptz NOT NULL DEFAULT now(),
  requeued_at timestamptz, -- set: read this version again; the counts then go on from these
  PRIMARY KEY (bucket, key, etag),
  CONSTRAINT objects_identity CHECK (read = inserted + duplicates + rejected)
);
CREATE INDEX objects_loaded_at ON etl.objects USING brin (loaded_at);

-- Quarantine: what could not become a row, with its cause and text.
CREATE TABLE etl.rejects (
  reject_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  bucket text NOT NULL,
  key text NOT NULL,
  etag text NOT NULL,
  position bigint NOT NULL,
  cause text NOT NULL,
  detail text NOT NULL,
  raw text NOT NULL,
  run_id uuid NOT NULL,
  rejected_at timestamptz NOT NULL DEFAULT now(),
  requeued_at timestamptz
);
CREATE INDEX rejects_object ON etl.rejects (bucket, key, etag);
CREATE INDEX rejects_rejected_at ON etl.rejects (rejected_at DESC);
