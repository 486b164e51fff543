-- Where sessions come from: what the details of a session's first event say. See docs/decisions/2026-11-24-acquisition.md.
LOCK TABLE dw.state IN SHARE ROW EXCLUSIVE MODE; -- no refresh meanwhile

-- What is told apart of each kind; whatever has no row here counts as `other`.
CREATE TABLE dw.entry_labels (
  entry_label integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('device', 'browser', 'referrer', 'campaign', 'page')),
  label text COLLATE "C" NOT NULL,
  is_known boolean NOT NULL DEFAULT false, -- always told apart
  UNIQUE (kind, label)
);
INSERT INTO dw.entry_labels (kind, label, is_known)
SELECT 'device', label, true FROM unnest(ARRAY['bot', 'desktop', 'mobile', 'tablet', 'tv']) AS label
UNION ALL SELECT kind, 'other', true FROM unnest(ARRAY['device', 'browser', 'referrer', 'campaign', 'page']) AS kind;

-- Device, browser, referrer, campaign and page, each by its number in dw.entry_labels or null: none given. Null: no details.
ALTER TABLE dw.sessions ADD COLUMN entry integer[];

CREATE TABLE dw.entry_days (
  zone text NOT NULL,
  day date NOT NULL,
  kind text NOT NULL,
  value text COLLATE "C",
  is_bot boolean,
  sessions bigint NOT NULL,
  carts bigint NOT NULL,
  checkouts bigint NOT NULL
);
CREATE INDEX entry_days_day ON dw.entry_days (zone, kind, day);

-- Of an address its path and its host. No regular expression and no SET clause: each costs ten times as much as the rest.
CREATE FUNCTION dw.has_host(address text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT strpos(address, '://') > 0 AND strpos(address, '/') = strpos(address, '://') + 1
$$;
-- Without what may hold a secret or a name: host, query and fragment.
CREATE FUNCTION dw.path_of(address text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN address IS NOT NULL THEN left(coalesce(nullif(CASE
    WHEN dw.has_host(address) THEN substr(split_part(split_part(address, '#', 1), '?', 1), strpos(address, '://') + 3
      + length(split_part(split_part(split_part(split_part(address, '#', 1), '?', 1), '://', 2), '/', 1)))
    ELSE split_part(split_part(address, '#', 1), '?', 1) END, ''), '/'), 200) END
$$;
-- In lower case, without port and www., as clickstream_event_details has that of the referrer.
CREATE FUNCTION dw.host_of(address text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN dw.has_host(address) THEN nullif(ltrim(replace(' ' || lower(split_part(split_part(split_part(split_part(split_part(
    split_part(address, '#', 1), '?', 1), '://', 2), '/', 1), '@', -1), ':', 1)), ' www.', ' ')), '') END
$$;

INSERT INTO dw.stale_hours (hour)
SELECT DISTINCT hour FROM dw.hourly_events WHERE EXISTS (SELECT FROM public.clickstream_event_details);

GRANT SELECT ON dw.entry_labels, dw.entry_days TO etl_writer, dashboard_reader;
GRANT INSERT, DELETE ON dw.entry_labels, dw.entry_days TO etl_writer;

COMMENT ON TABLE dw.entry_labels IS 'Devices, browsers, referrers, campaigns and landing pages that rollups tell apart; every other one is other.';
COMMENT ON COLUMN dw.entry_labels.entry_label IS 'Its number in dw.sessions.entry.';
COMMENT ON COLUMN dw.entry_labels.kind IS 'device, browser, referrer (its host), campaign (source / medium / campaign) or page (the path of the first page).';
COMMENT ON COLUMN dw.entry_labels.label IS 'What it says, at most 200 characters.';
COMMENT ON COLUMN dw.entry_labels.is_known IS 'Always told apart.';
COMMENT ON COLUMN dw.sessions.entry IS
  'Device, browser, referrer, campaign and page of its first event, by their numbers in dw.entry_labels; null: that event has no details.';
COMMENT ON TABLE dw.entry_days IS 'Where sessions came from, by the day of a zone they began on, for each kind of dw.entry_labels.';
COMMENT ON COLUMN dw.entry_days.zone IS 'The time zone.';
COMMENT ON COLUMN dw.entry_days.day IS 'The day the sessions began.';
COMMENT ON COLUMN dw.entry_days.kind IS 'What value is: device, browser, referrer, campaign or page; all: every session, those without details too.';
COMMENT ON COLUMN dw.entry_days.value IS 'Device, browser, referrer, campaign or page of the first event; null: none given.';
COMMENT ON COLUMN dw.entry_days.is_bot IS 'Whether the first event came from a known crawler or tool; null: it has no details.';
COMMENT ON COLUMN dw.entry_days.sessions IS 'Sessions.';
COMMENT ON COLUMN dw.entry_days.carts IS 'Of them, those that put something in the cart or went further.';
COMMENT ON COLUMN dw.entry_days.checkouts IS 'Of them, those that completed a checkout.';
