-- Rows are kept for so long as the configuration says. What their day's removal leaves behind: the line below which nothing
-- is added any more, the events that came too late for it, and a ledger whose sums still hold.
CREATE TABLE etl.retention (
  retention_id boolean PRIMARY KEY DEFAULT true CHECK (retention_id),
  kept_from timestamptz NOT NULL DEFAULT '-infinity'
    CHECK (kept_from = '-infinity' OR kept_from = date_trunc('day', kept_from, 'UTC')),
  erasures bigint NOT NULL DEFAULT 0
);
INSERT INTO etl.retention DEFAULT VALUES;

ALTER TABLE etl.objects
  ADD COLUMN expired bigint NOT NULL DEFAULT 0,
  ADD COLUMN erased bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT objects_identity,
  ADD CONSTRAINT objects_identity CHECK (
    read = inserted + duplicates + rejected + expired
    AND least(inserted, duplicates, rejected, expired, erased) >= 0 AND erased <= duplicates);
ALTER TABLE etl.sealed
  ADD COLUMN expired bigint NOT NULL DEFAULT 0,
  ADD COLUMN erased bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT sealed_identity,
  ADD CONSTRAINT sealed_identity CHECK (read = inserted + duplicates + expired);

-- Rows that left the table are taken off the hours they lay in, so that an hour's sums stay those of its rows in the table.
ALTER TABLE etl.loaded_hours ADD COLUMN cause text CHECK (cause IN ('pruned', 'erased'));

-- Late events, while there is a lake: the export takes them out of here when it has written them to their day's files.
CREATE TABLE etl.late_events (LIKE public.clickstream_events, kept_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (event_id));
CREATE INDEX late_events_event_timestamp ON etl.late_events (event_timestamp);
CREATE TABLE etl.late_event_details (LIKE public.clickstream_event_details);
CREATE INDEX late_event_details_event_id ON etl.late_event_details (event_id);

GRANT SELECT ON etl.retention TO etl_writer, dashboard_reader;
GRANT SELECT, INSERT, DELETE ON etl.late_events, etl.late_event_details TO etl_writer;

COMMENT ON TABLE etl.retention IS 'One row: from when on events are kept, and how many persons were erased.';
COMMENT ON COLUMN etl.retention.kept_from IS 'The line, a UTC midnight: rows before it are pruned, events before it are late.';
COMMENT ON COLUMN etl.retention.erasures IS 'Grows by one with each person who is erased: whoever loads then reads the list again.';
COMMENT ON COLUMN etl.objects.expired IS 'Events of days that were pruned already.';
COMMENT ON COLUMN etl.objects.erased IS 'Of its duplicates, events of a person who was erased: known, and not added again.';
COMMENT ON COLUMN etl.sealed.expired IS 'Events of days that were pruned already.';
COMMENT ON COLUMN etl.sealed.erased IS 'Of its duplicates, events of a person who was erased.';
COMMENT ON COLUMN etl.loaded_hours.cause IS 'Why rows left the table, with a minus: pruned or erased; null: rows that a load brought.';
COMMENT ON TABLE etl.late_events IS 'Events of pruned days that wait for the lake, each once: loads add, the export takes out.';
COMMENT ON COLUMN etl.late_events.kept_at IS 'When the load committed that found it.';
COMMENT ON TABLE etl.late_event_details IS 'The details of etl.late_events, by event_id.';
