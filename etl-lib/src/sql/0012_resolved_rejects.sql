-- Someone has looked at a reject, and nothing more is to be done about it. It stays, and so do the counts.
ALTER TABLE etl.rejects ADD COLUMN resolved_at timestamptz;
