-- What of a bucket's look-back is listed, so that an hour costs what is new in it: the newest hours are listed by every run,
-- all of the look-back by a sweep once a day and after a run that did not end well. A sweep may take several runs.
CREATE TABLE etl.lookbacks (
  bucket text PRIMARY KEY,
  since timestamptz NOT NULL, -- the first run
  swept_at timestamptz, -- when the last whole sweep began: what lay in the look-back then is loaded
  sweep_ended_at timestamptz, -- and when it ended
  sweep_started_at timestamptz, -- the sweep under way; null: none
  sweep_from timestamptz, -- its first hour
  run_id uuid, -- the last run, unless it ended well
  run_started_at timestamptz,
  run_ended boolean NOT NULL DEFAULT false,
  sealed_to timestamptz -- the ledger is sealed up to this day
);

-- The hours and days of the look-back: when the last listing began that found nothing which is not loaded now.
CREATE TABLE etl.listings (
  bucket text NOT NULL,
  prefix text COLLATE "C" NOT NULL, -- events/2025/12/06/05/, or events/2025/12/06/ for what lies in no folder of an hour
  listed_at timestamptz NOT NULL,
  again boolean NOT NULL, -- something in it could not be loaded: the next run lists it again
  PRIMARY KEY (bucket, prefix)
);

-- The ledger of what is older than any look-back: one row a folder. What quarantine holds something of keeps its own row.
CREATE TABLE etl.sealed (
  bucket text NOT NULL,
  prefix text COLLATE "C" NOT NULL,
  -- Of the newest version of each object that was there when it was sealed.
  objects bigint NOT NULL,
  bytes bigint NOT NULL,
  fingerprint bigint, -- XOR of the first 64 bits of each md5(etag || ' ' || key); null: it is being read again
  -- Of the rows that were folded into this one.
  read bigint NOT NULL,
  inserted bigint NOT NULL,
  duplicates bigint NOT NULL,
  sealed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (bucket, prefix),
  CONSTRAINT sealed_identity CHECK (read = inserted + duplicates)
);

-- A folder is a range of keys in byte order only.
ALTER TABLE etl.objects ALTER COLUMN key TYPE text COLLATE "C";
ALTER TABLE etl.rejects ALTER COLUMN key TYPE text COLLATE "C";

GRANT SELECT, INSERT, UPDATE, DELETE ON etl.listings TO etl_writer;
GRANT SELECT, INSERT, UPDATE ON etl.lookbacks, etl.sealed TO etl_writer;
GRANT DELETE ON etl.objects TO etl_writer; -- into etl.sealed
GRANT SELECT ON etl.lookbacks, etl.listings, etl.sealed TO dashboard_reader;
