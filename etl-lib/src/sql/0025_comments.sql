-- What every table and column means, beside what earlier migrations say of theirs: docs/data-dictionary.md is made of it
-- (`npm run dictionary`), and a tool that reads the catalogue shows it.

COMMENT ON TABLE public.clickstream_events IS 'The shop''s events, one row each: the 16 columns that analysts were promised. What these leave out is in public.clickstream_event_details.';
COMMENT ON COLUMN public.clickstream_events.event_id IS 'The event''s UUID as sent; of another id its UUIDv5; of none the UUIDv5 of where the event lies in the bucket.';
COMMENT ON COLUMN public.clickstream_events.event_timestamp IS 'When the event was received; if that is not usable, the time it gives itself, else when its object was last modified. An instant, so shown in the time zone of the session.';
COMMENT ON COLUMN public.clickstream_events.event_name IS 'What happened, as product_view; the list is open.';
COMMENT ON COLUMN public.clickstream_events.user_id IS 'The account of the visitor, as sent; null: none given.';
COMMENT ON COLUMN public.clickstream_events.user_login_state IS 'logged_in, anonymous or guest, or whatever else was sent; null: none given.';
COMMENT ON COLUMN public.clickstream_events.identity_source IS 'What the shop knew the visitor by, as sent; null: none given.';
COMMENT ON COLUMN public.clickstream_events.client_id IS 'The browser, by the id that the shop''s script gave it; null: none given.';
COMMENT ON COLUMN public.clickstream_events.session_id IS 'The visit, by the id that the shop''s script gave it; null: none given.';
COMMENT ON COLUMN public.clickstream_events.is_first_visit IS 'Whether the shop''s script took this for the first visit of the browser; null: it did not say.';
COMMENT ON COLUMN public.clickstream_events.context_product_id IS 'Of the product that the event is about: its id; null: it is about none, or gave no id.';
COMMENT ON COLUMN public.clickstream_events.context_product_name IS 'Of that product: its name.';
COMMENT ON COLUMN public.clickstream_events.context_product_category IS 'Of that product: its category.';
COMMENT ON COLUMN public.clickstream_events.context_product_brand IS 'Of that product: its brand.';
COMMENT ON COLUMN public.clickstream_events.context_product_price IS 'Of that product: its price before any discount, in the currency of the shop (whole dong today).';
COMMENT ON COLUMN public.clickstream_events.context_product_discount_price IS 'Of that product: its discounted price, in the same currency; null: none given.';
COMMENT ON COLUMN public.clickstream_events.context_product_url_path IS 'Of that product: the path of its page.';

COMMENT ON COLUMN dw.alert_rules.rule IS 'The rule''s name, which a raised alert is known by.';
COMMENT ON COLUMN dw.alert_rules.metric IS 'What is measured: events, sessions, conversion, orders, reject_share or new_event_names.';
COMMENT ON COLUMN dw.alert_rules.hours IS 'How many of the newest hours are measured.';
COMMENT ON COLUMN dw.alert_rules.weeks IS 'How many past weeks are compared with: the mean of their same hours is what is expected; 0: none.';
COMMENT ON COLUMN dw.alert_rules.comparison IS 'fell_by or rose_by: against what is expected; above or below: against the threshold alone.';
COMMENT ON COLUMN dw.alert_rules.threshold IS 'fell_by, rose_by: a fraction of what is expected (0.333 is a third); above, below: a value of the metric.';
COMMENT ON COLUMN dw.alert_rules.least IS 'Not judged by fewer sessions (conversion) or records (reject_share), or, of the other metrics, where fewer are expected.';
COMMENT ON COLUMN dw.alert_rules.is_on IS 'False: the rule is not evaluated.';

COMMENT ON COLUMN dw.alerts.rule IS 'The rule, as in dw.alert_rules.';
COMMENT ON COLUMN dw.alerts.evaluated_at IS 'When it was last evaluated.';
COMMENT ON COLUMN dw.alerts.value IS 'What was measured, conversion and reject_share as a fraction of 1; null: there was nothing to measure.';
COMMENT ON COLUMN dw.alerts.expected IS 'The mean of the same hours of past weeks; null: nothing to compare with.';
COMMENT ON COLUMN dw.alerts.is_raised IS 'Whether the rule holds, so that someone is told.';
COMMENT ON COLUMN dw.alerts.since IS 'Since when it has been raised; null: it is not.';
COMMENT ON COLUMN dw.alerts.detail IS 'Of new_event_names: the new names, five at most.';

COMMENT ON TABLE dw.clients IS 'A number for each client, which sets of clients are kept by.';
COMMENT ON COLUMN dw.clients.client IS 'The number, given from 0 on without a gap and never changed.';
COMMENT ON COLUMN dw.clients.client_id IS 'The client''s id, as in public.clickstream_events.';

COMMENT ON TABLE dw.day_clients IS 'Which clients were there on a day of a zone, by login state, as sets of bits. The union of days is their bitwise OR, so distinct clients of any range of days can be counted.';
COMMENT ON COLUMN dw.day_clients.zone IS 'The time zone that the day is told in.';
COMMENT ON COLUMN dw.day_clients.day IS 'The day.';
COMMENT ON COLUMN dw.day_clients.user_login_state IS 'The login state, as dw.labels tells it apart; null: none given.';
COMMENT ON COLUMN dw.day_clients.chunk IS 'Which 4,096 client numbers the bits stand for: from chunk * 4096 on. A chunk without a client has no row.';
COMMENT ON COLUMN dw.day_clients.clients IS 'Bit n is set: the client with the number chunk * 4096 + n was there.';

COMMENT ON TABLE dw.days IS 'Exact counts by day of a time zone. Clients, users and sessions do not add up over days: see dw.day_clients and dw.visits.';
COMMENT ON COLUMN dw.days.zone IS 'The time zone that the day is told in.';
COMMENT ON COLUMN dw.days.day IS 'The day.';
COMMENT ON COLUMN dw.days.events IS 'Events of the day.';
COMMENT ON COLUMN dw.days.clients IS 'Distinct client ids; null is not counted.';
COMMENT ON COLUMN dw.days.users IS 'Distinct user ids; null is not counted.';
COMMENT ON COLUMN dw.days.sessions IS 'Distinct session ids; null is not counted.';

COMMENT ON TABLE dw.event_numbers IS 'A number for each event name that rollups tell apart, used in dw.visits.steps.';
COMMENT ON COLUMN dw.event_numbers.number IS 'The number, 0 to 511.';
COMMENT ON COLUMN dw.event_numbers.event_name IS 'The event''s name.';

COMMENT ON TABLE dw.funnel_days IS 'The funnel by the day a session began: how many sessions reached each step or a later one. Each dimension counts every session it knows, so take one dimension at a time.';
COMMENT ON COLUMN dw.funnel_days.zone IS 'The time zone that the day is told in.';
COMMENT ON COLUMN dw.funnel_days.day IS 'The day of the session''s first event.';
COMMENT ON COLUMN dw.funnel_days.dimension IS 'all: every session; category or brand: sessions with an event that names a product of it.';
COMMENT ON COLUMN dw.funnel_days.value IS 'The category or brand; null: products without one, or, of all, every session.';
COMMENT ON COLUMN dw.funnel_days.user_login_state IS 'The session''s login state, as in dw.sessions.';
COMMENT ON COLUMN dw.funnel_days.sessions IS 'Sessions, whatever step they reached.';
COMMENT ON COLUMN dw.funnel_days.views IS 'Sessions that viewed a page, or got further.';
COMMENT ON COLUMN dw.funnel_days.product_views IS 'Sessions that viewed a product, or got further.';
COMMENT ON COLUMN dw.funnel_days.carts IS 'Sessions that put something in the cart, or got further.';
COMMENT ON COLUMN dw.funnel_days.checkout_starts IS 'Sessions that began a checkout, or got further.';
COMMENT ON COLUMN dw.funnel_days.checkouts IS 'Sessions that completed a checkout.';

COMMENT ON TABLE dw.hourly_events IS 'Events by UTC hour, name and login state.';
COMMENT ON COLUMN dw.hourly_events.hour IS 'The UTC hour, by its beginning.';
COMMENT ON COLUMN dw.hourly_events.event_name IS 'The event''s name, as dw.labels tells it apart.';
COMMENT ON COLUMN dw.hourly_events.user_login_state IS 'The login state, as dw.labels tells it apart; null: none given.';
COMMENT ON COLUMN dw.hourly_events.events IS 'Events.';
COMMENT ON COLUMN dw.hourly_events.order_value IS 'Of checkout_complete: the sum of the discounted prices, or of the prices where there is none, in the currency of the shop.';
COMMENT ON COLUMN dw.hourly_events.priced_orders IS 'Of checkout_complete: the events that name a price, which order_value sums.';

COMMENT ON TABLE dw.labels IS 'The event names and login states that rollups tell apart; every further one counts as other there.';
COMMENT ON COLUMN dw.labels.kind IS 'event_name or login_state.';
COMMENT ON COLUMN dw.labels.label IS 'The name or state.';
COMMENT ON COLUMN dw.labels.is_known IS 'True: always told apart; false: came with events while there was room.';

COMMENT ON TABLE dw.product_days IS 'What happened to each product, by day of a time zone.';
COMMENT ON COLUMN dw.product_days.zone IS 'The time zone that the day is told in.';
COMMENT ON COLUMN dw.product_days.day IS 'The day.';
COMMENT ON COLUMN dw.product_days.product_id IS 'The product.';
COMMENT ON COLUMN dw.product_days.views IS 'product_view events.';
COMMENT ON COLUMN dw.product_days.carts IS 'add_to_cart_click events.';
COMMENT ON COLUMN dw.product_days.checkout_starts IS 'checkout_start events.';
COMMENT ON COLUMN dw.product_days.checkouts IS 'checkout_complete events.';
COMMENT ON COLUMN dw.product_days.lowest_price IS 'Lowest price it was offered for, discounts taken off, in the currency of the shop; null: no event gave one.';
COMMENT ON COLUMN dw.product_days.highest_price IS 'Highest price it was offered for, discounts taken off, in the currency of the shop; null: no event gave one.';

COMMENT ON TABLE dw.product_groups IS 'The pairs of category and brand that rollups tell apart; every further one counts as other and other there.';
COMMENT ON COLUMN dw.product_groups.product_group IS 'The number of the pair, used in dw.sessions.product_steps.';
COMMENT ON COLUMN dw.product_groups.category IS 'The category; null: none given.';
COMMENT ON COLUMN dw.product_groups.brand IS 'The brand; null: none given.';
COMMENT ON COLUMN dw.product_groups.is_known IS 'True: always told apart; false: came with events while there was room.';

COMMENT ON TABLE dw.products IS 'The newest description of each product.';
COMMENT ON COLUMN dw.products.product_id IS 'The product.';
COMMENT ON COLUMN dw.products.name IS 'Its name.';
COMMENT ON COLUMN dw.products.category IS 'Its category.';
COMMENT ON COLUMN dw.products.brand IS 'Its brand.';
COMMENT ON COLUMN dw.products.price IS 'Its price before any discount, in the currency of the shop.';
COMMENT ON COLUMN dw.products.discount_price IS 'Its discounted price, in the same currency; null: none.';
COMMENT ON COLUMN dw.products.url_path IS 'The path of its page.';
COMMENT ON COLUMN dw.products.seen_at IS 'When the event happened that the description is of.';

COMMENT ON TABLE dw.sessions IS 'One row a session id. A session belongs to the hour and day of its first event.';
COMMENT ON COLUMN dw.sessions.session_id IS 'The session''s id; of one whose person was erased: the word erased and a random UUID.';
COMMENT ON COLUMN dw.sessions.first_event_at IS 'When its first event happened.';
COMMENT ON COLUMN dw.sessions.last_event_at IS 'When its last event happened.';
COMMENT ON COLUMN dw.sessions.furthest_step IS 'The furthest step of the funnel it reached: 0 none, 1 view, 2 product view, 3 cart, 4 checkout begun, 5 checkout completed.';
COMMENT ON COLUMN dw.sessions.user_login_state IS 'The greatest of its events'' states in byte order, which puts logged_in above guest above anonymous; null: none given.';
COMMENT ON COLUMN dw.sessions.checkout_step IS 'The furthest step, 4 or 5, of its checkout events that name no product; 0: it has none.';
COMMENT ON COLUMN dw.sessions.product_steps IS 'One entry a product group: dw.product_groups.product_group * 8 + the furthest step of the session''s events that name a product of it.';

COMMENT ON TABLE dw.stale_hours IS 'Queue of the hours whose rollups are to be made again: loads add marks, a refresh takes out those it saw.';
COMMENT ON COLUMN dw.stale_hours.mark_id IS 'The mark.';
COMMENT ON COLUMN dw.stale_hours.hour IS 'The UTC hour, by its beginning.';
COMMENT ON COLUMN dw.stale_hours.marked_at IS 'When it was marked.';

COMMENT ON TABLE dw.state IS 'One row: how up to date the rollups are.';
COMMENT ON COLUMN dw.state.state_id IS 'Always true: there is one row.';
COMMENT ON COLUMN dw.state.version IS 'Grows with every refresh that changed something: the key for whatever caches the rollups.';
COMMENT ON COLUMN dw.state.refreshed_at IS 'When the last refresh that changed something ended; null: there was none.';
COMMENT ON COLUMN dw.state.newest_event_at IS 'When the newest event of all happened; null: there is none.';
COMMENT ON COLUMN dw.state.next_client IS 'The number that the next new client gets.';
COMMENT ON COLUMN dw.state.is_rebuilding IS 'True: a rebuild is under way, and the rollups of hours that are still marked are the old ones.';

COMMENT ON TABLE dw.visits IS 'Who was there in a UTC hour: one row a client, user, session and login state. The source of dw.days and dw.sessions.';
COMMENT ON COLUMN dw.visits.hour IS 'The UTC hour, by its beginning.';
COMMENT ON COLUMN dw.visits.user_id IS 'The user; null: none given, or erased.';
COMMENT ON COLUMN dw.visits.session_id IS 'The session; null: none given, or erased.';
COMMENT ON COLUMN dw.visits.user_login_state IS 'The login state, as dw.labels tells it apart; null: none given.';
COMMENT ON COLUMN dw.visits.events IS 'Its events in the hour.';
COMMENT ON COLUMN dw.visits.first_event_at IS 'When the first of them happened.';
COMMENT ON COLUMN dw.visits.last_event_at IS 'When the last of them happened.';
COMMENT ON COLUMN dw.visits.furthest_step IS 'The furthest step of the funnel they reached, as in dw.sessions.';
COMMENT ON COLUMN dw.visits.checkout_step IS 'The furthest step, 4 or 5, of the checkout events among them that name no product; 0: there is none.';
COMMENT ON COLUMN dw.visits.client IS 'The client''s number in dw.clients; null: none given, or erased.';
COMMENT ON COLUMN dw.visits.steps IS 'Its first 1,000 events, in no order: millisecond of the hour * 512 + number in dw.event_numbers; null: not read yet.';

COMMENT ON TABLE dw.zones IS 'The time zones that a day can be told in. Add a row, and the next refresh fills its days. Only zones that lie whole hours from UTC.';
COMMENT ON COLUMN dw.zones.zone IS 'The zone''s name, as Asia/Ho_Chi_Minh.';
COMMENT ON COLUMN dw.zones.is_default IS 'True: the zone that the dashboard opens with; one at most.';
COMMENT ON COLUMN dw.zones.built_at IS 'When all its days were made; null: the next refresh makes them.';
COMMENT ON COLUMN dw.zones.built_through IS 'Of a zone that is being made: the day up to which its days are.';

COMMENT ON COLUMN etl.erasure_key.key_id IS 'Always true: there is one row.';

COMMENT ON TABLE etl.host_state IS 'What the warehouse''s host looks like, written by itself every few minutes and kept for 30 days; empty anywhere else.';
COMMENT ON COLUMN etl.host_state.at IS 'When it was looked at.';
COMMENT ON COLUMN etl.host_state.data_size_mb IS 'Size of the data volume, in MiB.';
COMMENT ON COLUMN etl.host_state.data_free_mb IS 'Free on it, in MiB.';
COMMENT ON COLUMN etl.host_state.root_size_mb IS 'Size of the root volume, in MiB.';
COMMENT ON COLUMN etl.host_state.root_free_mb IS 'Free on it, in MiB.';
COMMENT ON COLUMN etl.host_state.memory_size_mb IS 'Memory, in MiB.';
COMMENT ON COLUMN etl.host_state.memory_free_mb IS 'Memory that could be given to a process without swapping, in MiB.';
COMMENT ON COLUMN etl.host_state.load IS 'The load average of the last minute.';
COMMENT ON COLUMN etl.host_state.processors IS 'Processors.';
COMMENT ON COLUMN etl.host_state.database_bytes IS 'Size of the database, in bytes.';
COMMENT ON COLUMN etl.host_state.wal_bytes IS 'Size of the write-ahead log, in bytes.';
COMMENT ON COLUMN etl.host_state.connections IS 'Client connections that are open.';
COMMENT ON COLUMN etl.host_state.max_connections IS 'Connections that there can be.';
COMMENT ON COLUMN etl.host_state.live_rows IS 'Rows of all tables, as the statistics have them.';
COMMENT ON COLUMN etl.host_state.dead_rows IS 'Dead rows of all tables, as the statistics have them.';
COMMENT ON COLUMN etl.host_state.failed_units IS 'Services of this system that failed.';
COMMENT ON COLUMN etl.host_state.backup_at IS 'When the last dump ended well; null: none did.';
COMMENT ON COLUMN etl.host_state.backup_bytes IS 'Its size, in bytes.';
COMMENT ON COLUMN etl.host_state.drill_at IS 'When a restore of the newest dump last ended well, as a drill; null: none did.';
COMMENT ON COLUMN etl.host_state.drill IS 'The dump that was restored, and what was counted in it.';
COMMENT ON COLUMN etl.host_state.patch_at IS 'When patching last ended well; null: it never did.';
COMMENT ON COLUMN etl.host_state.patch IS 'The releases of Amazon Linux and PostgreSQL, before and after.';
COMMENT ON COLUMN etl.host_state.journals_at IS 'When the journal was last copied to the artifacts bucket; null: it never was.';
COMMENT ON COLUMN etl.host_state.certificate_until IS 'When the certificate of the server ends.';
COMMENT ON COLUMN etl.host_state.journal_errors IS 'Errors in the journal of the last quarter of an hour: the newest ten messages.';

COMMENT ON TABLE etl.listings IS 'The hours and days of the look-back that were listed, one row a folder.';
COMMENT ON COLUMN etl.listings.bucket IS 'The bucket.';
COMMENT ON COLUMN etl.listings.prefix IS 'The folder: events/2025/12/06/05/, or events/2025/12/06/ for what lies in no folder of an hour.';
COMMENT ON COLUMN etl.listings.listed_at IS 'When the last listing began that found nothing which is not loaded now.';
COMMENT ON COLUMN etl.listings.again IS 'True: something in it could not be loaded, and the next run lists it again.';

COMMENT ON TABLE etl.loaded_hours IS 'What loads put into public.clickstream_events by hour of the events, and with a minus what left it: the sums of an hour are those of its rows in the table.';
COMMENT ON COLUMN etl.loaded_hours.hour IS 'The UTC hour of the events, by its beginning.';
COMMENT ON COLUMN etl.loaded_hours.rows IS 'Rows added; negative: removed.';
COMMENT ON COLUMN etl.loaded_hours.ids IS 'Sum of uuid_hash(event_id) of these rows; negative: removed.';
COMMENT ON COLUMN etl.loaded_hours.run_id IS 'The run that added them; null: they were removed, or were there before hours were noted.';

COMMENT ON TABLE etl.lookbacks IS 'Of each bucket, how far its look-back is listed: the newest hours by every run, all of it by a daily sweep.';
COMMENT ON COLUMN etl.lookbacks.bucket IS 'The bucket.';
COMMENT ON COLUMN etl.lookbacks.since IS 'When its first run began.';
COMMENT ON COLUMN etl.lookbacks.swept_at IS 'When the last whole sweep began: what lay in the look-back then is loaded; null: there was none.';
COMMENT ON COLUMN etl.lookbacks.sweep_ended_at IS 'When that sweep ended.';
COMMENT ON COLUMN etl.lookbacks.sweep_started_at IS 'When the sweep under way began; null: none is.';
COMMENT ON COLUMN etl.lookbacks.sweep_from IS 'The first hour of that sweep, UTC.';
COMMENT ON COLUMN etl.lookbacks.run_id IS 'The last run, unless it ended well; null: it did.';
COMMENT ON COLUMN etl.lookbacks.run_started_at IS 'When that run began.';
COMMENT ON COLUMN etl.lookbacks.run_ended IS 'Whether that run has ended.';
COMMENT ON COLUMN etl.lookbacks.sealed_to IS 'The ledger is sealed up to this day, a UTC midnight; null: nothing is sealed.';

COMMENT ON TABLE etl.migrations IS 'The migrations of the schema that were applied.';
COMMENT ON COLUMN etl.migrations.version IS 'The migration''s number.';
COMMENT ON COLUMN etl.migrations.name IS 'The name of its file.';
COMMENT ON COLUMN etl.migrations.checksum IS 'SHA-256 of its file: an applied one may not be changed.';
COMMENT ON COLUMN etl.migrations.applied_at IS 'When it was applied.';

COMMENT ON TABLE etl.objects IS 'The ledger: one row an object version that was loaded, written in the transaction of its rows. read = inserted + duplicates + rejected + expired.';
COMMENT ON COLUMN etl.objects.bucket IS 'The bucket; of files, file:// and their folder.';
COMMENT ON COLUMN etl.objects.key IS 'The object''s key.';
COMMENT ON COLUMN etl.objects.etag IS 'Its version.';
COMMENT ON COLUMN etl.objects.size IS 'Its size as stored, in bytes.';
COMMENT ON COLUMN etl.objects.last_modified IS 'When it was last modified.';
COMMENT ON COLUMN etl.objects.read IS 'Records in it.';
COMMENT ON COLUMN etl.objects.inserted IS 'Events of it that became rows.';
COMMENT ON COLUMN etl.objects.duplicates IS 'Events of it whose id was known already.';
COMMENT ON COLUMN etl.objects.rejected IS 'Records of it that could not become a row: see etl.rejects.';
COMMENT ON COLUMN etl.objects.run_id IS 'The run that loaded it.';
COMMENT ON COLUMN etl.objects.loaded_at IS 'When it was loaded.';
COMMENT ON COLUMN etl.objects.first_event_at IS 'When the first of its events happened; null: it has none, or this was not noted yet.';
COMMENT ON COLUMN etl.objects.last_event_at IS 'When the last of its events happened; null: it has none, or this was not noted yet.';

COMMENT ON TABLE etl.rejects IS 'Quarantine: records that could not become a row, each with its cause and text.';
COMMENT ON COLUMN etl.rejects.reject_id IS 'The reject.';
COMMENT ON COLUMN etl.rejects.bucket IS 'The bucket of its object.';
COMMENT ON COLUMN etl.rejects.key IS 'The key of its object.';
COMMENT ON COLUMN etl.rejects.etag IS 'The version of its object.';
COMMENT ON COLUMN etl.rejects.position IS 'The record''s place in its object, from 0.';
COMMENT ON COLUMN etl.rejects.cause IS 'Why it was rejected, by a short name, as missing_event_name.';
COMMENT ON COLUMN etl.rejects.detail IS 'Why it was rejected, in a sentence.';
COMMENT ON COLUMN etl.rejects.raw IS 'The record''s text, at most 64 KiB; empty: the time that texts are kept is over, or it named a person who was erased.';
COMMENT ON COLUMN etl.rejects.run_id IS 'The run that rejected it.';
COMMENT ON COLUMN etl.rejects.rejected_at IS 'When it was rejected.';
COMMENT ON COLUMN etl.rejects.requeued_at IS 'When the object, or a newer version of it, was read again, so that this reject no longer stands; null: it stands.';
COMMENT ON COLUMN etl.rejects.records IS 'How many records it stands for: 1, or more that are counted only.';
COMMENT ON COLUMN etl.rejects.resolved_at IS 'When someone said that nothing more is to be done about it; null: nobody did.';

COMMENT ON COLUMN etl.retention.retention_id IS 'Always true: there is one row.';

COMMENT ON TABLE etl.runs IS 'One row a run of the load, written when it begins and again when it ends.';
COMMENT ON COLUMN etl.runs.run_id IS 'The run.';
COMMENT ON COLUMN etl.runs.trigger IS 'What started it: schedule, manual or local.';
COMMENT ON COLUMN etl.runs.bucket IS 'The bucket it loads from; of files, file:// and their folder.';
COMMENT ON COLUMN etl.runs.prefix IS 'The prefix within the bucket; null: none.';
COMMENT ON COLUMN etl.runs.window_from IS 'The beginning of the window it loads, by the hours of keys, UTC; null: not bound to a window.';
COMMENT ON COLUMN etl.runs.window_to IS 'The end of that window, exclusive.';
COMMENT ON COLUMN etl.runs.status IS 'running, succeeded (all is loaded), partial (something remains or failed), skipped (nothing was new), interrupted or failed.';
COMMENT ON COLUMN etl.runs.started_at IS 'When it began.';
COMMENT ON COLUMN etl.runs.finished_at IS 'When it ended; null: it has not, or was killed.';
COMMENT ON COLUMN etl.runs.objects IS 'Objects: {"listed", "alreadyLoaded", "loaded", "failed", "remaining", "unlisted"}.';
COMMENT ON COLUMN etl.runs.events IS 'Events: {"read", "inserted", "duplicates", "rejected", "expired", "erased"}; erased are among the duplicates.';
COMMENT ON COLUMN etl.runs.rejects IS 'Rejected records by cause.';
COMMENT ON COLUMN etl.runs.warnings IS 'Repaired values by column and cause.';
COMMENT ON COLUMN etl.runs.timings IS 'Milliseconds that the run waited for each stage.';
COMMENT ON COLUMN etl.runs.error IS 'What ended the run, else the first object that could not be read; null: nothing went wrong.';
COMMENT ON COLUMN etl.runs.errors IS 'The first twenty of all that went wrong.';

COMMENT ON TABLE etl.sealed IS 'The ledger of what is older than any look-back, one row a folder; objects with rejects keep their own row in etl.objects.';
COMMENT ON COLUMN etl.sealed.bucket IS 'The bucket.';
COMMENT ON COLUMN etl.sealed.prefix IS 'The folder, as in etl.listings.';
COMMENT ON COLUMN etl.sealed.objects IS 'Objects in it when it was sealed, each in its newest version.';
COMMENT ON COLUMN etl.sealed.bytes IS 'Their size as stored, in bytes.';
COMMENT ON COLUMN etl.sealed.fingerprint IS 'XOR of the first 64 bits of the MD5 of each one''s ETag, a space and key; null: the folder is being read again.';
COMMENT ON COLUMN etl.sealed.read IS 'Records in the rows of etl.objects that were folded into this one.';
COMMENT ON COLUMN etl.sealed.inserted IS 'Events of these that became rows.';
COMMENT ON COLUMN etl.sealed.duplicates IS 'Events of these whose id was known already.';
COMMENT ON COLUMN etl.sealed.sealed_at IS 'When it was sealed.';
COMMENT ON COLUMN etl.sealed.version IS 'How often it was sealed.';
COMMENT ON COLUMN etl.sealed.first_event_at IS 'When the first of these events happened; null: there is none, or it is not known.';
COMMENT ON COLUMN etl.sealed.last_event_at IS 'When the last of these events happened; null: there is none, or it is not known.';

COMMENT ON TABLE etl.unfinished IS 'Objects that a run broke off because its time budget gave them too little: later runs read them last.';
COMMENT ON COLUMN etl.unfinished.bucket IS 'The bucket.';
COMMENT ON COLUMN etl.unfinished.key IS 'The object''s key.';
COMMENT ON COLUMN etl.unfinished.etag IS 'Its version.';
COMMENT ON COLUMN etl.unfinished.run_id IS 'The run that broke off last.';
COMMENT ON COLUMN etl.unfinished.noted_at IS 'When it did.';

-- Late events wait in tables with the columns of those that they came too late for.
DO $$
DECLARE
  waiting record;
BEGIN
  FOR waiting IN
    SELECT late.attrelid::regclass AS late, kept.attname AS name, col_description(kept.attrelid, kept.attnum) AS text
    FROM (VALUES ('etl.late_events'::regclass, 'public.clickstream_events'::regclass),
      ('etl.late_event_details', 'public.clickstream_event_details')) AS pair (late, kept)
    JOIN pg_attribute kept ON kept.attrelid = pair.kept AND kept.attnum > 0 AND NOT kept.attisdropped
    JOIN pg_attribute late ON late.attrelid = pair.late AND late.attname = kept.attname
  LOOP
    EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', waiting.late, waiting.name, waiting.text);
  END LOOP;
END $$;
