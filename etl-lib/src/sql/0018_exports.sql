-- The files of the lake: for each closed UTC day one with its rows in the table, and, once these are pruned, further ones with
-- the events that came too late for it. A row here says that its file lies there and that its content was read back.
CREATE TABLE etl.exports (
  day date NOT NULL,
  part int NOT NULL CHECK (part >= 0), -- 0: what the table held of the day; others: late events of a pruned day
  key text NOT NULL,
  rows bigint NOT NULL,
  -- Of these rows, as etl.loaded_hours sums them.
  ids bigint NOT NULL,
  details bigint NOT NULL,
  checksum text NOT NULL,
  bytes bigint NOT NULL,
  etag text NOT NULL,
  exported_at timestamptz NOT NULL DEFAULT now(),
  verified_at timestamptz, -- null: read again later, it was not what was written
  pruned_at timestamptz, -- of part 0: the table no longer holds all of the day, so its file is never written from it again
  PRIMARY KEY (day, part)
);

-- Every day with rows in the table or a file in the lake. A load marks nothing: each change of a day's rows is in the sums of
-- etl.loaded_hours with the transaction that made it, so a file is stale when its sums are not these.
CREATE VIEW etl.lake_days AS
WITH loaded AS (
  SELECT (hour AT TIME ZONE 'UTC')::date AS day, sum(rows)::bigint AS rows, sum(ids)::bigint AS ids, sum(details)::bigint AS details
  FROM etl.loaded_hours GROUP BY 1
)
SELECT day, coalesce(l.rows, 0) AS rows, e.rows AS exported, e.verified_at, e.pruned_at,
  e.pruned_at IS NULL
    AND (e.verified_at IS NULL
      OR (coalesce(l.rows, 0), coalesce(l.ids, 0), coalesce(l.details, 0)) <> (e.rows, e.ids, e.details)) AS stale
FROM loaded l FULL JOIN (SELECT * FROM etl.exports WHERE part = 0) e USING (day)
WHERE l.rows <> 0 OR e.day IS NOT NULL;

-- Called in the transaction that deletes a day's first row. True: the day's file holds all that the table does, and from now on
-- it is not written from the table any more. False: it is missing, stale or just being written; nothing may be deleted.
CREATE FUNCTION etl.freeze_export(pruned date) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NOT pg_try_advisory_xact_lock(7263003) THEN RETURN false; END IF; -- who writes the lake holds it
  UPDATE etl.exports SET pruned_at = coalesce(pruned_at, now()) WHERE day = pruned AND part = 0
    AND EXISTS (SELECT FROM etl.lake_days d WHERE d.day = pruned AND NOT stale);
  RETURN FOUND;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON etl.exports TO etl_writer;
GRANT SELECT ON etl.lake_days TO etl_writer;
GRANT SELECT ON etl.exports, etl.lake_days TO dashboard_reader;

COMMENT ON TABLE etl.exports IS 'The files of the lake, one row each: what a file holds, and when its content was read back.';
COMMENT ON COLUMN etl.exports.day IS 'The UTC day of its events.';
COMMENT ON COLUMN etl.exports.part IS '0: what the table held of the day; others: late events of a pruned day.';
COMMENT ON COLUMN etl.exports.key IS 'Where it lies, below the lake''s bucket or folder.';
COMMENT ON COLUMN etl.exports.rows IS 'Its events.';
COMMENT ON COLUMN etl.exports.ids IS 'Sum of uuid_hash(event_id) of its events.';
COMMENT ON COLUMN etl.exports.details IS 'Its events that have details.';
COMMENT ON COLUMN etl.exports.checksum IS 'Of every value of every row, whatever their order.';
COMMENT ON COLUMN etl.exports.bytes IS 'Its size.';
COMMENT ON COLUMN etl.exports.etag IS 'Its version in the store.';
COMMENT ON COLUMN etl.exports.exported_at IS 'When it was written.';
COMMENT ON COLUMN etl.exports.verified_at IS 'When its content was last read back and found as written; null: it was not.';
COMMENT ON COLUMN etl.exports.pruned_at IS 'When the table began to lose the day''s rows; null: it holds them.';
COMMENT ON VIEW etl.lake_days IS 'Each UTC day with rows in the table or a file in the lake, and whether the file is what the table holds.';
COMMENT ON COLUMN etl.lake_days.day IS 'The UTC day.';
COMMENT ON COLUMN etl.lake_days.rows IS 'Its events in the table.';
COMMENT ON COLUMN etl.lake_days.exported IS 'Events in its file; null: there is none.';
COMMENT ON COLUMN etl.lake_days.verified_at IS 'When the file''s content was last read back and found as written.';
COMMENT ON COLUMN etl.lake_days.pruned_at IS 'When the table began to lose its rows.';
COMMENT ON COLUMN etl.lake_days.stale IS 'True: the file is missing or not what the table holds, and is to be written.';
