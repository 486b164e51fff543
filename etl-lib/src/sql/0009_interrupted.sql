-- A run that was interrupted says so, and names every object that could not be read (the first twenty of them).
ALTER TABLE etl.runs
  DROP CONSTRAINT runs_status_check,
  ADD CONSTRAINT runs_status_check
    CHECK (status IN ('running', 'succeeded', 'partial', 'skipped', 'interrupted', 'failed')),
  ADD COLUMN errors jsonb NOT NULL DEFAULT '[]';
