-- What an analyst wants to be told: rules, and what the last run found of each. See docs/dashboard.md.
CREATE TABLE dw.alert_rules (
  rule text PRIMARY KEY CHECK (rule ~ '^[a-z0-9_]{1,60}$'),
  metric text NOT NULL CHECK (metric IN ('events', 'sessions', 'conversion', 'orders', 'reject_share', 'new_event_names')),
  hours smallint NOT NULL CHECK (hours BETWEEN 1 AND 168), -- the newest ones, which are measured
  weeks smallint NOT NULL CHECK (weeks BETWEEN 0 AND 8), -- past weeks, whose same hours are what is expected on average
  comparison text NOT NULL CHECK (comparison IN ('fell_by', 'rose_by', 'above', 'below')),
  threshold numeric NOT NULL, -- fell_by, rose_by: as a part of what is expected; above, below: of the metric
  least numeric NOT NULL DEFAULT 0, -- not judged by fewer sessions (conversion) or records (reject_share), or where fewer are expected
  is_on boolean NOT NULL DEFAULT true,
  CHECK (weeks > 0 OR comparison IN ('above', 'below') AND metric <> 'new_event_names')
);
INSERT INTO dw.alert_rules (rule, metric, hours, weeks, comparison, threshold, least) VALUES
  ('conversion_fell', 'conversion', 24, 4, 'fell_by', 0.333, 100),
  ('no_events', 'events', 1, 4, 'below', 1, 10),
  ('new_event_name', 'new_event_names', 24, 4, 'above', 0, 0),
  ('rejects_rose', 'reject_share', 24, 4, 'rose_by', 1, 100);

-- What the last evaluation found. A rule that was never evaluated has no row.
CREATE TABLE dw.alerts (
  rule text PRIMARY KEY REFERENCES dw.alert_rules ON UPDATE CASCADE ON DELETE CASCADE,
  evaluated_at timestamptz NOT NULL,
  value numeric, -- null: there was nothing to measure
  expected numeric, -- null: nothing to compare with
  is_raised boolean NOT NULL,
  since timestamptz, -- since when it has been raised
  detail text -- new event names, five at most
);
GRANT SELECT ON dw.alert_rules TO etl_writer, dashboard_reader;
GRANT SELECT, INSERT, UPDATE ON dw.alerts TO etl_writer;
GRANT SELECT ON dw.alerts TO dashboard_reader;

COMMENT ON TABLE dw.alert_rules IS 'Rules that each run evaluates at its end; a person changes them in SQL.';
COMMENT ON TABLE dw.alerts IS 'What the last evaluation of each rule found.';
