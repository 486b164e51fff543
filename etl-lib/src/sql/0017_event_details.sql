-- What the 16 columns leave out, beside them: one row an event, written in the transaction of its event.
--
-- No key: a second random one would halve the number of events that fit a host's memory, and it would hold nothing that
-- the first does not. Who writes a row here has inserted the event in the same transaction, or fills a gap under a lock
-- that only one transaction has. Join on event_id and event_timestamp: both tables are found by time.
CREATE TABLE public.clickstream_event_details (
  event_id uuid NOT NULL,
  event_timestamp timestamptz NOT NULL,
  page_url text,
  referrer text,
  referrer_host text,
  utm_source text,
  utm_medium text,
  utm_campaign text,
  device text,
  browser text,
  os text,
  is_bot boolean,
  extras jsonb
);
CREATE INDEX clickstream_event_details_event_timestamp ON public.clickstream_event_details
  USING brin (event_timestamp timestamptz_minmax_multi_ops (values_per_range = 64))
  WITH (pages_per_range = 32, autosummarize = on);

CREATE OR REPLACE FUNCTION dw.summarize_events() RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '100ms'
AS $$
BEGIN
  PERFORM brin_summarize_new_values('public.clickstream_events_event_timestamp');
  PERFORM brin_summarize_new_values('public.clickstream_event_details_event_timestamp');
EXCEPTION WHEN lock_not_available THEN NULL;
END $$;

GRANT SELECT, INSERT ON public.clickstream_event_details TO etl_writer;
GRANT SELECT (event_id, event_timestamp, page_url, referrer, referrer_host, utm_source, utm_medium, utm_campaign, device,
  browser, os, is_bot) ON public.clickstream_event_details TO dashboard_reader; -- not extras: it may hold what a visitor typed

-- Of the rows that a batch inserted, how many have their details: `verify` counts them as it counts the rows. Whoever takes
-- rows out of the tables on purpose takes them off here too.
ALTER TABLE etl.loaded_hours ADD COLUMN details bigint NOT NULL DEFAULT 0;

-- Where events differ from the contract, counted by run: {"checked": n, "findings": [{"event", "field", "kind", "events"}]}.
ALTER TABLE etl.runs ADD COLUMN contract jsonb NOT NULL DEFAULT '{}';
CREATE VIEW dw.contract_drift AS
SELECT started_at, run_id, (contract ->> 'checked')::bigint AS checked, event AS event_name, field, kind, finding.events
FROM etl.runs, jsonb_to_recordset(contract -> 'findings') AS finding (event text, field text, kind text, events bigint);
GRANT SELECT ON dw.contract_drift TO etl_writer, dashboard_reader;

COMMENT ON TABLE public.clickstream_event_details IS
  'What public.clickstream_events leaves out of an event: one row an event, from the same transaction. Join on event_id and event_timestamp.';
COMMENT ON COLUMN public.clickstream_event_details.event_id IS 'The event''s, as in public.clickstream_events.';
COMMENT ON COLUMN public.clickstream_event_details.event_timestamp IS 'The event''s, as in public.clickstream_events.';
COMMENT ON COLUMN public.clickstream_event_details.page_url IS 'The page the event happened on, as sent.';
COMMENT ON COLUMN public.clickstream_event_details.referrer IS 'The page before it, as sent.';
COMMENT ON COLUMN public.clickstream_event_details.referrer_host IS 'The host of the referrer, in lower case, without www.';
COMMENT ON COLUMN public.clickstream_event_details.utm_source IS 'utm_source of the page''s address, decoded.';
COMMENT ON COLUMN public.clickstream_event_details.utm_medium IS 'utm_medium of the page''s address, decoded.';
COMMENT ON COLUMN public.clickstream_event_details.utm_campaign IS 'utm_campaign of the page''s address, decoded.';
COMMENT ON COLUMN public.clickstream_event_details.device IS 'desktop, mobile, tablet, tv or bot, by the user agent; null: it does not say.';
COMMENT ON COLUMN public.clickstream_event_details.browser IS 'The browser''s name by the user agent, without its version.';
COMMENT ON COLUMN public.clickstream_event_details.os IS 'The operating system''s name by the user agent, without its version.';
COMMENT ON COLUMN public.clickstream_event_details.is_bot IS 'Whether the user agent is a known crawler or tool; null: the event has no user agent.';
COMMENT ON COLUMN public.clickstream_event_details.extras IS
  'Everything of the event that is in no column of both tables, as it was sent and where it stood, without IP addresses; at most 16 KiB.';
COMMENT ON COLUMN etl.loaded_hours.details IS 'Of these rows, those that have their row in public.clickstream_event_details.';
COMMENT ON COLUMN etl.runs.contract IS 'Where events differ from the contract: {"checked": n, "findings": [{"event", "field", "kind", "events"}]}.';
COMMENT ON VIEW dw.contract_drift IS 'Where events differ from the contract, by run, event name, field and kind.';
COMMENT ON COLUMN dw.contract_drift.started_at IS 'When the run began.';
COMMENT ON COLUMN dw.contract_drift.run_id IS 'The run.';
COMMENT ON COLUMN dw.contract_drift.checked IS 'Events of the run that were held against the contract; more may have been loaded.';
COMMENT ON COLUMN dw.contract_drift.event_name IS 'The event''s name, cut to 100 characters.';
COMMENT ON COLUMN dw.contract_drift.field IS 'The field, as product.price; for an unknown name of an event: eventName.';
COMMENT ON COLUMN dw.contract_drift.kind IS 'missing, type, format, enum, unknown_field or unknown_event.';
COMMENT ON COLUMN dw.contract_drift.events IS 'Events of the run that were checked and differ so.';
