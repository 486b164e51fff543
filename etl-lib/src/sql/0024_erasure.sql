-- A person can be forgotten: rows leave, and who it was is remembered by a keyed hash alone, so that no replay brings them back.
CREATE TABLE etl.erasure_key (
  key_id boolean PRIMARY KEY DEFAULT true CHECK (key_id),
  secret bytea NOT NULL
);
INSERT INTO etl.erasure_key (secret) VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
CREATE TABLE etl.erasures (
  kind text NOT NULL CHECK (kind IN ('user_id', 'client_id')),
  person bytea NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz,
  events bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, person)
);
GRANT SELECT ON etl.erasure_key, etl.erasures TO etl_writer;
GRANT UPDATE (completed_at) ON etl.erasures TO etl_writer;
GRANT SELECT (kind, requested_at, completed_at, events) ON etl.erasures TO dashboard_reader;

-- While no batch is open, so that every batch that begins after this one's end knows.
CREATE FUNCTION etl.remember_erasure(of text, who bytea) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '60s'
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7263002);
  INSERT INTO etl.erasures (kind, person) VALUES (of, who)
  ON CONFLICT (kind, person) DO UPDATE SET requested_at = now(), completed_at = NULL;
  UPDATE etl.retention SET erasures = erasures + 1;
END $$;

-- Sessions that some of the person's events were part of: made again from what others' events say, or, where that cannot be,
-- kept without their name.
CREATE FUNCTION etl.forget_sessions(ids text[]) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
  line timestamptz := (SELECT kept_from FROM etl.retention);
  sessions bigint;
BEGIN
  INSERT INTO dw.stale_hours (hour)
  SELECT DISTINCT hour FROM dw.visits WHERE session_id = ANY (ids) AND hour >= line
  UNION SELECT date_bin('1 hour', first_event_at, 'epoch') FROM dw.sessions
  WHERE session_id = ANY (ids) AND first_event_at >= line;
  SELECT count(*) FROM dw.sessions WHERE session_id = ANY (ids) INTO sessions;
  DELETE FROM dw.sessions WHERE session_id = ANY (ids) AND first_event_at >= line;
  UPDATE dw.sessions SET session_id = 'erased ' || gen_random_uuid() WHERE session_id = ANY (ids);
  RETURN sessions;
END $$;

-- Removes the events of a person in [lo, hi), with their details, off the ledger's hours too. @returns the days they were of
CREATE FUNCTION etl.erase_events(of text, who bytea, id text, lo timestamptz, hi timestamptz,
    OUT events bigint, OUT details bigint, OUT sessions bigint, OUT days date[])
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '60s'
AS $$
DECLARE
  ids uuid[];
  session_ids text[];
BEGIN
  IF NOT EXISTS (SELECT FROM etl.erasures WHERE kind = of AND person = who AND completed_at IS NULL) THEN
    RAISE EXCEPTION 'No such erasure is under way.';
  END IF;
  LOCK TABLE dw.state IN SHARE ROW EXCLUSIVE MODE; -- no refresh meanwhile
  WITH gone AS (
    DELETE FROM public.clickstream_events WHERE event_timestamp >= lo AND event_timestamp < hi
      AND CASE of WHEN 'user_id' THEN user_id = id ELSE client_id = id END
    RETURNING event_id, event_timestamp, session_id
  ), hour AS (
    SELECT date_bin('1 hour', event_timestamp, 'epoch') AS hour, -count(*) AS rows, -sum(uuid_hash(event_id)::bigint) AS ids
    FROM gone GROUP BY 1
  ), noted AS (
    INSERT INTO etl.loaded_hours (hour, rows, ids, cause) SELECT hour.hour, hour.rows, hour.ids, 'erased' FROM hour
  ), marked AS (
    INSERT INTO dw.stale_hours (hour) SELECT hour.hour FROM hour
  )
  SELECT count(*), coalesce(array_agg(event_id), '{}'), coalesce(array_agg(DISTINCT session_id) FILTER (WHERE session_id IS NOT NULL), '{}'),
    coalesce(array_agg(DISTINCT (event_timestamp AT TIME ZONE 'UTC')::date), '{}')
  FROM gone INTO events, ids, session_ids, days;
  details := 0;
  sessions := 0;
  IF events = 0 THEN RETURN; END IF;
  WITH gone AS (
    DELETE FROM public.clickstream_event_details WHERE event_timestamp >= lo AND event_timestamp < hi AND event_id = ANY (ids)
    RETURNING event_timestamp
  ), noted AS (
    INSERT INTO etl.loaded_hours (hour, rows, ids, details, cause)
    SELECT date_bin('1 hour', event_timestamp, 'epoch'), 0, 0, -count(*), 'erased' FROM gone GROUP BY 1
  )
  SELECT count(*) FROM gone INTO details;
  sessions := etl.forget_sessions(session_ids);
  UPDATE etl.erasures e SET events = e.events + erase_events.events WHERE kind = of AND person = who;
END $$;

-- What the rollups still say of the person: of pruned days, or of rows that are gone already. Counts stay, names go.
CREATE FUNCTION etl.erase_rollups(of text, who bytea, id text, OUT visits bigint, OUT sessions bigint, OUT days date[])
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '60s'
AS $$
DECLARE
  line timestamptz := (SELECT kept_from FROM etl.retention);
  number int := (SELECT client FROM dw.clients WHERE of = 'client_id' AND client_id = id);
  session_ids text[];
BEGIN
  IF NOT EXISTS (SELECT FROM etl.erasures WHERE kind = of AND person = who AND completed_at IS NULL) THEN
    RAISE EXCEPTION 'No such erasure is under way.';
  END IF;
  LOCK TABLE dw.state IN SHARE ROW EXCLUSIVE MODE; -- no refresh meanwhile
  SELECT count(*), coalesce(array_agg(DISTINCT session_id) FILTER (WHERE session_id IS NOT NULL), '{}'),
    coalesce(array_agg(DISTINCT (hour AT TIME ZONE 'UTC')::date), '{}')
  FROM dw.visits v WHERE CASE of WHEN 'user_id' THEN v.user_id = id ELSE v.client = number END
  INTO visits, session_ids, days;
  sessions := etl.forget_sessions(session_ids);
  INSERT INTO dw.stale_hours (hour) SELECT DISTINCT hour FROM dw.visits v
  WHERE hour >= line AND CASE of WHEN 'user_id' THEN v.user_id = id ELSE v.client = number END;
  UPDATE dw.visits v SET client = NULL, user_id = NULL, session_id = NULL
  WHERE CASE of WHEN 'user_id' THEN v.user_id = id ELSE v.client = number END;
  DELETE FROM dw.clients WHERE of = 'client_id' AND client_id = id;
END $$;

REVOKE ALL ON FUNCTION etl.remember_erasure(text, bytea), etl.forget_sessions(text[]),
  etl.erase_events(text, bytea, text, timestamptz, timestamptz), etl.erase_rollups(text, bytea, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.remember_erasure(text, bytea),
  etl.erase_events(text, bytea, text, timestamptz, timestamptz), etl.erase_rollups(text, bytea, text) TO etl_writer;

COMMENT ON TABLE etl.erasure_key IS 'The secret that persons who were erased are hashed with.';
COMMENT ON COLUMN etl.erasure_key.secret IS 'Made here, and known nowhere else.';
COMMENT ON TABLE etl.erasures IS 'Persons who were erased, by a keyed hash of their id: no load brings their events back.';
COMMENT ON COLUMN etl.erasures.kind IS 'Which of its ids it was: user_id or client_id.';
COMMENT ON COLUMN etl.erasures.person IS 'HMAC-SHA256 of kind and id with etl.erasure_key.';
COMMENT ON COLUMN etl.erasures.requested_at IS 'When it was asked for last.';
COMMENT ON COLUMN etl.erasures.completed_at IS 'When all that can be reached was erased; null: repeat it.';
COMMENT ON COLUMN etl.erasures.events IS 'Events that were removed from the table.';
