-- How often a folder was sealed: a run whose listing of it is older than its last seal takes nothing for new that the seal has
-- swallowed. And which hours of the table its rows can lie in, as etl.objects has it for a single object.
ALTER TABLE etl.sealed
  ADD COLUMN version int NOT NULL DEFAULT 1,
  ADD COLUMN first_event_at timestamptz,
  ADD COLUMN last_event_at timestamptz;
