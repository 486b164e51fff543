-- The table analysts were promised: the 16 columns of the seed document, in its order, and nothing else.
CREATE TABLE public.clickstream_events (
  event_id uuid PRIMARY KEY,
  event_timestamp timestamptz NOT NULL,
  event_name text NOT NULL,
  user_id text,
  user_login_state text,
  identity_source text,
  client_id text,
  session_id text,
  is_first_visit boolean,
  context_product_id text,
  context_product_name text,
  context_product_category text,
  context_product_brand text,
  context_product_price numeric,
  context_product_discount_price numeric,
  context_product_url_path text
);

-- Events arrive nearly in the order of time, so a block-range index finds an hour at almost no cost to a load.
CREATE INDEX clickstream_events_event_timestamp ON public.clickstream_events
  USING brin (event_timestamp) WITH (pages_per_range = 32, autosummarize = on);
