-- An object version is loaded again as a whole: nothing is marked for it, so nothing is hidden by a crash in between. Its
-- rejects stand until the load that reads it again, or reads a newer version, says in the same transaction what it rejects.
ALTER TABLE etl.objects DROP COLUMN requeued_at;

UPDATE etl.objects SET inserted = inserted + duplicates, duplicates = 0 WHERE duplicates < 0;
ALTER TABLE etl.objects DROP CONSTRAINT objects_identity;
ALTER TABLE etl.objects ADD CONSTRAINT objects_identity
  CHECK (read = inserted + duplicates + rejected AND least(inserted, duplicates, rejected) >= 0);

COMMENT ON COLUMN etl.rejects.requeued_at IS 'set: the object, or a newer version of it, was read again, and this reject no longer stands';
