/**
 * The statements of one refresh, in their order. Each reads the temporary tables of the ones before it, inside one
 * REPEATABLE READ transaction: they all see the same events. See docs/decisions/2026-11-22-rollups.md.
 */

/**
 * `LOCK TABLE` takes no snapshot: it is frozen by the first statement after it, so a refresh that waited here for
 * another sees all that the other committed. Who waits too long for it gives up, and its marks stay. Hash aggregation, which the planner underrates here, is three times as fast.
 */
export const BEGIN = `
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL lock_timeout = '30s';
LOCK TABLE dw.state IN SHARE ROW EXCLUSIVE MODE;
SET LOCAL search_path = pg_catalog;
SET LOCAL work_mem = '64MB';
SET LOCAL enable_sort = off;
SET LOCAL jit = off;
SET LOCAL default_statistics_target = 1;
SET LOCAL idle_in_transaction_session_timeout = '60s';
CREATE TEMP TABLE stale (hour timestamptz PRIMARY KEY) ON COMMIT DROP;
CREATE TEMP TABLE stale_days (zone text, day date, PRIMARY KEY (zone, day)) ON COMMIT DROP;
CREATE TEMP TABLE new_hours (hour timestamptz, event_name text COLLATE "C", user_login_state text COLLATE "C", events bigint,
  order_value numeric, priced_orders bigint) ON COMMIT DROP;
CREATE TEMP TABLE changed_hours (hour timestamptz) ON COMMIT DROP;
CREATE TEMP TABLE new_visits (
  hour timestamptz, client_id text COLLATE "C", user_id text COLLATE "C", session_id text COLLATE "C",
  user_login_state text COLLATE "C", events bigint, first_event_at timestamptz, last_event_at timestamptz,
  furthest_step smallint, checkout_step smallint, steps integer[]
) ON COMMIT DROP;
CREATE TEMP TABLE new_products (
  segment int, product_id text, name text, category text, brand text, price numeric, discount_price numeric,
  url_path text, views bigint, carts bigint, checkout_starts bigint, checkouts bigint, seen_at timestamptz
) ON COMMIT DROP;
CREATE TEMP TABLE new_groups (session_id text, category text, brand text, furthest_step smallint) ON COMMIT DROP;
CREATE TEMP TABLE new_entries (session_id text, first_event_at timestamptz, device text, browser text, referrer text, campaign text,
  page text) ON COMMIT DROP`;

/** So that the reads below find what was loaded a moment ago without reading the whole table. */
export const SUMMARIZE = "SELECT dw.summarize_events() WHERE EXISTS (SELECT FROM dw.stale_hours)";

/** A week: as much as one refresh takes on, so that a long backfill is refreshed in bounded memory, step by step. */
export const MAX_HOURS = 168;

/** Below it rows are pruned, or about to be, and rollups stay as they are. */
const LINE = "(SELECT kept_from FROM etl.retention)";

/**
 * Deletes exactly the marks this snapshot sees, of the earliest hours; a mark committed later stays. One below the line is
 * dropped, whatever set it: its hour could not be made again. What follows looks
 * for hours by their index, also in a table so new that the planner knows nothing of the order of its rows.
 */
export const takeMarks = (most: number) => `
DELETE FROM dw.stale_hours WHERE hour < ${LINE};
WITH earliest AS (
  SELECT DISTINCT date_trunc('hour', hour, 'UTC') AS start FROM dw.stale_hours ORDER BY 1 LIMIT ${most}
), seen AS (
  DELETE FROM dw.stale_hours m USING earliest WHERE date_trunc('hour', m.hour, 'UTC') = start RETURNING start
)
INSERT INTO pg_temp.stale SELECT DISTINCT start FROM seen;
SET LOCAL enable_seqscan = off`;

/** Of a warehouse of which nothing is pruned. Else sessions that began below the line, and the groups and labels they name, stay. */
const FORGET_ALL = `
TRUNCATE dw.sessions;
DELETE FROM dw.product_groups WHERE NOT is_known;
DELETE FROM dw.entry_labels WHERE NOT is_known`;
const FORGET_ABOVE_LINE = `DELETE FROM dw.sessions WHERE first_event_at >= ${LINE}`;

/**
 * Begins a rebuild: every hour from the line on that the raw rows or a rollup know is marked, and the steps that follow,
 * this run's or another's, rebuild each in its place. What is merged and not replaced starts from nothing.
 */
export const beginRebuild = (isAnyPruned: boolean) => `
DELETE FROM dw.stale_hours;
INSERT INTO dw.stale_hours (hour)
SELECT hour FROM (SELECT hour FROM dw.hourly_events
UNION SELECT hour FROM dw.visits
UNION SELECT day::timestamp AT TIME ZONE zone FROM (
  SELECT zone, day FROM dw.days UNION SELECT zone, day FROM dw.day_clients UNION SELECT zone, day FROM dw.product_days
  UNION SELECT zone, day FROM dw.funnel_days) d) known WHERE hour >= ${LINE};
${isAnyPruned ? FORGET_ABOVE_LINE : FORGET_ALL};
UPDATE dw.products SET seen_at = '-infinity' WHERE seen_at >= ${LINE};
DELETE FROM dw.labels WHERE NOT is_known;
UPDATE dw.state SET is_rebuilding = true`;

/** Of the raw rows that lie in the blocks from $1 to $2, the hours: a table of any size is read a bounded part at a time. */
export const MARK_BLOCKS = `
INSERT INTO dw.stale_hours (hour)
SELECT DISTINCT date_trunc('hour', event_timestamp, 'UTC') FROM public.clickstream_events
WHERE ctid >= format('(%s,0)', $1::bigint)::tid AND ctid < format('(%s,0)', $2::bigint)::tid
  AND event_timestamp >= ${LINE}`;

export const COUNT_BLOCKS = `
SELECT (pg_relation_size('public.clickstream_events') / current_setting('block_size')::int)::float8 AS blocks`;

/** Ends it with the step that leaves no mark: products that no event names any more are still where the rebuild put them. */
export const END_REBUILD = `
DELETE FROM dw.products
WHERE seen_at = '-infinity' AND (SELECT is_rebuilding AND NOT EXISTS (SELECT FROM dw.stale_hours) FROM dw.state);
DELETE FROM dw.event_numbers e
WHERE NOT EXISTS (SELECT FROM dw.labels l WHERE l.kind = 'event_name' AND l.label = e.event_name)
  AND (SELECT is_rebuilding AND NOT EXISTS (SELECT FROM dw.stale_hours) FROM dw.state)
  AND ${LINE} = '-infinity'; -- visits below the line keep theirs
UPDATE dw.state SET is_rebuilding = false, newest_event_at = (SELECT max(last_event_at) FROM dw.visits)
WHERE is_rebuilding AND NOT EXISTS (SELECT FROM dw.stale_hours)`;

/** The next week of a zone that is new, where no hour is stale. A zone that has nothing to make is made. */
const NEXT_DAYS_OF_ZONE = `
SELECT z.zone, first.day, first.day + 6 AS last
FROM (SELECT zone, built_through FROM dw.zones WHERE built_at IS NULL ORDER BY zone LIMIT 1) z,
  LATERAL (SELECT (hour AT TIME ZONE z.zone)::date AS day FROM dw.hourly_events
    WHERE hour >= coalesce((built_through + 1)::timestamp AT TIME ZONE z.zone, '-infinity') ORDER BY hour LIMIT 1) first
WHERE NOT EXISTS (SELECT FROM pg_temp.stale)`;

/** The days of every zone that hold a stale hour; without one, the next week of a zone that is new. */
export const FIND_STALE_DAYS = `
UPDATE dw.zones SET built_at = clock_timestamp() WHERE built_at IS NULL AND NOT EXISTS (
  SELECT FROM dw.hourly_events WHERE hour >= coalesce((built_through + 1)::timestamp AT TIME ZONE zone, '-infinity'));
INSERT INTO pg_temp.stale_days
SELECT zone, (hour AT TIME ZONE zone)::date FROM pg_temp.stale, dw.zones
UNION
SELECT zone, (hour AT TIME ZONE zone)::date FROM (${NEXT_DAYS_OF_ZONE}) n
JOIN dw.hourly_events ON hour >= day::timestamp AT TIME ZONE zone AND hour < (last + 1)::timestamp AT TIME ZONE zone;
UPDATE dw.zones z SET built_through = last FROM (${NEXT_DAYS_OF_ZONE}) n WHERE z.zone = n.zone;
ANALYZE pg_temp.stale, pg_temp.stale_days`;

/** Whether this snapshot leaves nothing to the next step. */
export const IS_DONE = `
SELECT NOT EXISTS (SELECT FROM dw.stale_hours) AND NOT EXISTS (SELECT FROM dw.zones WHERE built_at IS NULL) AS done`;

/** Joins spans (lo, hi) that touch or overlap. */
const islands = (spans: string) => `
WITH span AS (${spans}), reach AS (
  SELECT lo, hi, max(hi) OVER (ORDER BY lo, hi ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM span
), island AS (
  SELECT lo, hi, count(*) FILTER (WHERE before IS NULL OR lo > before) OVER (ORDER BY lo, hi) AS n FROM reach
)
SELECT min(lo) AS lo, max(hi) AS hi FROM island GROUP BY n ORDER BY 1`;

const spansOfDays = (days: string) => `
SELECT day::timestamp AT TIME ZONE zone AS lo, (day + 1)::timestamp AT TIME ZONE zone AS hi FROM pg_temp.${days}`;

export const HOUR_SPANS = islands("SELECT hour AS lo, hour + interval '1 hour' AS hi FROM pg_temp.stale");
export const DAY_SPANS = islands(spansOfDays("stale_days"));

/** Where any of these days begins or ends. Between two neighbours it is one and the same day in each zone. */
const bounds = (days: string) => `
SELECT array_agg(bound ORDER BY bound) FROM (
  SELECT lo AS bound FROM (${spansOfDays(days)}) UNION SELECT hi FROM (${spansOfDays(days)})
)`;

/** The days that a stretch between two bounds is part of; what is counted by stretch then adds up to days. */
const segments = (days: string) => `
SELECT segment::int, d.zone, d.day
FROM (${bounds(days)}) b, unnest(array_agg) WITH ORDINALITY AS s (start, segment), pg_temp.${days} d
WHERE d.day = (start AT TIME ZONE d.zone)::date`;

export const CLEAR_HOURS = `
DELETE FROM dw.hourly_events t USING pg_temp.stale s WHERE t.hour = s.hour;
DELETE FROM dw.visits t USING pg_temp.stale s WHERE t.hour = s.hour`;

const STEP = "dw.funnel_step(event_name)";
const HOUR = "date_bin('1 hour', event_timestamp, 'epoch')";
const IN_SPAN = "event_timestamp >= $1 AND event_timestamp < $2";
/** What an event's product is offered for. */
const PRICE = "coalesce(context_product_discount_price, context_product_price)";
const NAMES_A_PRODUCT =
  "(context_product_id IS NOT NULL OR context_product_category IS NOT NULL OR context_product_brand IS NOT NULL)";

/** Told apart in the rollups, each kind; further ones are `other`. */
const MAX_LABELS = 200;
/** Pairs of category and brand. Also bounds what a session carries: one entry a pair. */
const MAX_PRODUCT_GROUPS = 2_000;

/** One of the labels, or `other`; null stays null. */
const labelled = (column: "event_name" | "user_login_state"): string => {
  const kind = column === "event_name" ? column : "login_state";
  return `CASE WHEN ${column} IS NULL OR ${column} COLLATE "C" IN (SELECT label FROM dw.labels WHERE kind = '${kind}')
  THEN ${column} COLLATE "C" ELSE 'other' END`;
};

/** Raw rows of a span [$1, $2) of stale hours: the names and states first, for the other reads tell them apart. */
export const READ_LABELS = `INSERT INTO pg_temp.new_hours
SELECT ${HOUR}, event_name, user_login_state, count(*),
  coalesce(sum(${PRICE}) FILTER (WHERE event_name = 'checkout_complete'), 0),
  count(${PRICE}) FILTER (WHERE event_name = 'checkout_complete')
FROM public.clickstream_events WHERE ${IN_SPAN} GROUP BY 1, 2, 3`;

/** The most frequent first: there is room for so many. A label that has room once keeps it. */
export const FOLLOW_LABELS = `
INSERT INTO dw.labels (kind, label)
SELECT kind, label FROM (
  SELECT kind, label, row_number() OVER (PARTITION BY kind ORDER BY events DESC, label) AS n FROM (
    SELECT 'event_name' AS kind, event_name AS label, sum(events) AS events FROM pg_temp.new_hours GROUP BY event_name
    UNION ALL
    SELECT 'login_state', user_login_state, sum(events) FROM pg_temp.new_hours
    WHERE user_login_state IS NOT NULL GROUP BY user_login_state
  ) seen
  WHERE NOT EXISTS (SELECT FROM dw.labels l WHERE l.kind = seen.kind AND l.label = seen.label)
) fresh WHERE n <= ${MAX_LABELS} - (SELECT count(*) FROM dw.labels l WHERE l.kind = fresh.kind);
INSERT INTO dw.hourly_events
SELECT hour, ${labelled("event_name")}, ${labelled("user_login_state")}, sum(events), sum(order_value), sum(priced_orders)
FROM pg_temp.new_hours GROUP BY 1, 2, 3;
INSERT INTO dw.event_numbers
SELECT number, label FROM (
  SELECT label, row_number() OVER (ORDER BY label) AS n FROM dw.labels l
  WHERE kind = 'event_name' AND NOT EXISTS (SELECT FROM dw.event_numbers e WHERE e.event_name = l.label)
) fresh JOIN (
  SELECT i AS number, row_number() OVER (ORDER BY i) AS n FROM generate_series(0, 511) AS i
  WHERE NOT EXISTS (SELECT FROM dw.event_numbers e WHERE e.number = i)
) free USING (n);
SET LOCAL enable_nestloop = off`; // what is read next is joined by the hour, and nothing is known of how much it is

/** See `dw.visits.steps`. */
const STEP_OF_VISIT = `least(round(date_part('epoch', event_timestamp - ${HOUR}) * 1000), 3599999)::int * 512
  + coalesce(number, (SELECT number FROM dw.event_numbers WHERE event_name = 'other'))`;
/** The step is worked out once a name (OFFSET 0 keeps it there), not three times an event: every name that has one is numbered. */
const NUMBERED_NAMES = `SELECT number, event_name AS name, ${STEP} AS step FROM dw.event_numbers OFFSET 0`;
/** Of one visit in one hour: a person does not do more, and a machine has no way worth following. */
const MAX_STEPS = 1_000;

/**
 * Of rows that were loaded a moment ago the planner knows nothing yet: joins that it takes for a few look-ups may be of
 * a quarter of a million rows, each look-up a scan by BRIN.
 */
export const JOIN_BY_HASH = "SET LOCAL enable_nestloop = off";
export const JOIN_AS_PLANNED = "SET LOCAL enable_nestloop = on";

/** Raw rows of a span [$1, $2) of stale hours. */
export const READ_HOURS = [
  `INSERT INTO pg_temp.new_visits
SELECT ${HOUR}, client_id, user_id, session_id, ${labelled("user_login_state")}, count(*), min(event_timestamp),
  max(event_timestamp), coalesce(max(step), 0), coalesce(max(step) FILTER (WHERE step >= 4 AND NOT ${NAMES_A_PRODUCT}), 0),
  array_agg(${STEP_OF_VISIT})
FROM public.clickstream_events LEFT JOIN (${NUMBERED_NAMES}) n ON name = event_name COLLATE "C"
WHERE ${IN_SPAN} GROUP BY 1, 2, 3, 4, 5`,

  `INSERT INTO pg_temp.new_groups
SELECT session_id, context_product_category, context_product_brand, max(${STEP})
FROM public.clickstream_events
WHERE ${IN_SPAN} AND session_id IS NOT NULL AND ${NAMES_A_PRODUCT} GROUP BY 1, 2, 3`,

  // The first event of each session that was here. Not even looked for where no details are kept.
  // First events before details: joined by their time alone, ten thousand events of one moment would be a hundred million pairs.
  `INSERT INTO pg_temp.new_entries
WITH first AS MATERIALIZED (
  SELECT session_id, event_timestamp, event_id FROM (
    SELECT session_id, min(first_event_at) AS event_timestamp FROM pg_temp.new_visits
    WHERE hour >= $1 AND hour < $2 AND session_id IS NOT NULL GROUP BY 1
  ) visit JOIN public.clickstream_events e USING (session_id, event_timestamp)
  WHERE EXISTS (SELECT FROM public.clickstream_event_details) AND e.event_timestamp >= $1 AND e.event_timestamp < $2
)
SELECT DISTINCT ON (session_id) session_id, event_timestamp, device, browser,
  CASE WHEN referrer_host IS DISTINCT FROM dw.host_of(page_url) THEN left(referrer_host, 200) END,
  left(nullif(concat_ws(' / ', utm_source, utm_medium, utm_campaign), ''), 200), dw.path_of(page_url)
FROM first JOIN public.clickstream_event_details d USING (event_id, event_timestamp)
WHERE d.event_timestamp >= $1 AND d.event_timestamp < $2
ORDER BY session_id, event_id`,
];

/** Told apart in the rollups, of each kind. */
const MAX_ENTRY_LABELS = 200;
/** In the order they have in `dw.sessions.entry`. */
const ENTRY_KINDS = ["device", "browser", "referrer", "campaign", "page"];
const BOT = "(SELECT entry_label FROM dw.entry_labels WHERE kind = 'device' AND label = 'bot')";
const entryLabel = (kind: string) =>
  `CASE WHEN ${kind} IS NOT NULL THEN coalesce(${kind}_label.entry_label, (SELECT entry_label FROM dw.entry_labels
    WHERE kind = '${kind}' AND label = 'other')) END`;

/** Raw rows of a span [$1, $2) of stale days; what dw.pruned_products stands for may still be there, and does not count. */
export const READ_DAYS = `
INSERT INTO pg_temp.new_products
SELECT width_bucket(event_timestamp, (${bounds("stale_days")})), context_product_id, context_product_name,
  context_product_category, context_product_brand, context_product_price, context_product_discount_price,
  context_product_url_path,
  count(*) FILTER (WHERE event_name = 'product_view'), count(*) FILTER (WHERE event_name = 'add_to_cart_click'),
  count(*) FILTER (WHERE event_name = 'checkout_start'), count(*) FILTER (WHERE event_name = 'checkout_complete'),
  max(event_timestamp)
FROM public.clickstream_events
WHERE ${IN_SPAN} AND event_timestamp >= ${LINE} AND context_product_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8`;

const SAME_GROUP = `coalesce(g.category, '') = coalesce(n.category, '') AND coalesce(g.brand, '') = coalesce(n.brand, '')
    AND (g.category IS NULL) = (n.category IS NULL) AND (g.brand IS NULL) = (n.brand IS NULL)`;

/** From here on the rollups follow from what was read. One text: a round trip can wait long for a thread that loads. */
export const FOLLOW = [
  "SET LOCAL enable_seqscan = on; SET LOCAL enable_nestloop = on",
  "ANALYZE pg_temp.new_visits, pg_temp.new_groups, pg_temp.new_products, pg_temp.new_entries",
  // Numbers in the order of coming, so that clients of one time share chunks. Past the last number none is given.
  `WITH fresh AS (
  SELECT client_id, min(hour) AS first FROM pg_temp.new_visits n
  WHERE client_id IS NOT NULL AND NOT EXISTS (SELECT FROM dw.clients c WHERE c.client_id = n.client_id) GROUP BY client_id
), numbered AS (
  SELECT client_id, next_client + row_number() OVER (ORDER BY first, client_id) - 1 AS client FROM fresh, dw.state
), given AS (
  INSERT INTO dw.clients (client, client_id) SELECT client, client_id FROM numbered WHERE client <= 2147483647 RETURNING client
)
UPDATE dw.state SET next_client = next_client + (SELECT count(*) FROM given)`,
  // In the order of hours, so that a reader of a range finds it together.
  `INSERT INTO dw.visits (hour, client, user_id, session_id, user_login_state, events, first_event_at, last_event_at,
  furthest_step, checkout_step, steps)
SELECT hour, client, user_id, session_id, user_login_state, events, first_event_at, last_event_at, furthest_step, checkout_step,
  CASE WHEN events <= ${MAX_STEPS} THEN steps ELSE ARRAY(SELECT s FROM unnest(steps) s ORDER BY s LIMIT ${MAX_STEPS}) END
FROM pg_temp.new_visits LEFT JOIN dw.clients USING (client_id) ORDER BY hour`,
  // IS NOT DISTINCT FROM cannot be hashed; equal texts and equal nullness can.
  `INSERT INTO dw.product_groups (category, brand)
SELECT category COLLATE "C", brand COLLATE "C" FROM pg_temp.new_groups n
WHERE NOT EXISTS (SELECT FROM dw.product_groups g WHERE ${SAME_GROUP})
GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2
LIMIT greatest(0, ${MAX_PRODUCT_GROUPS} - (SELECT count(*) FROM dw.product_groups))`,
  `INSERT INTO dw.entry_labels (kind, label)
SELECT kind, label FROM (
  SELECT kind, label, row_number() OVER (PARTITION BY kind ORDER BY count(*) DESC, label) AS n
  FROM pg_temp.new_entries, LATERAL (VALUES ${ENTRY_KINDS.map((kind) => `('${kind}', ${kind} COLLATE "C")`)}) seen (kind, label)
  WHERE label IS NOT NULL AND NOT EXISTS (SELECT FROM dw.entry_labels l WHERE l.kind = seen.kind AND l.label = seen.label)
  GROUP BY kind, label
) fresh WHERE n <= ${MAX_ENTRY_LABELS} - (SELECT count(*) FROM dw.entry_labels l WHERE l.kind = fresh.kind)`,
  `CREATE TEMP TABLE new_sessions ON COMMIT DROP AS
WITH step AS (
  SELECT session_id, max(coalesce(product_group, (SELECT product_group FROM dw.product_groups
    WHERE category = 'other' AND brand = 'other' AND is_known)) * 8 + furthest_step) AS step
  FROM pg_temp.new_groups n LEFT JOIN dw.product_groups g ON ${SAME_GROUP}
  GROUP BY session_id, product_group
), named AS (
  SELECT session_id, array_agg(step) AS product_steps FROM step GROUP BY session_id
), visited AS (
  SELECT session_id, min(first_event_at) AS first_event_at, max(last_event_at) AS last_event_at,
    max(furthest_step) AS furthest_step, max(user_login_state) AS user_login_state, max(checkout_step) AS checkout_step
  FROM pg_temp.new_visits WHERE session_id IS NOT NULL GROUP BY session_id
), entered AS (
  SELECT session_id, first_event_at, ARRAY[${ENTRY_KINDS.map(entryLabel)}] AS entry FROM pg_temp.new_entries
  ${ENTRY_KINDS.map((kind) => `LEFT JOIN dw.entry_labels ${kind}_label ON ${kind}_label.kind = '${kind}' AND ${kind}_label.label = ${kind}`).join("\n  ")}
)
SELECT visited.*, coalesce(product_steps, '{}') AS product_steps, entry
FROM visited LEFT JOIN named USING (session_id) LEFT JOIN entered USING (session_id, first_event_at)
ORDER BY first_event_at`,
  "ANALYZE pg_temp.new_sessions",
  // Sessions only grow: an earlier first event, a later last one, a further step. So merging is exact in any order.
  `WITH changed AS (
  MERGE INTO dw.sessions s USING pg_temp.new_sessions n ON s.session_id = n.session_id
  WHEN MATCHED AND (
    n.first_event_at < s.first_event_at OR n.last_event_at > s.last_event_at OR n.furthest_step > s.furthest_step
    OR n.checkout_step > s.checkout_step OR NOT n.product_steps <@ s.product_steps
    OR greatest(n.user_login_state, s.user_login_state) IS DISTINCT FROM s.user_login_state
    OR (n.first_event_at = s.first_event_at AND n.entry IS DISTINCT FROM s.entry) -- its details came later
  ) THEN UPDATE SET
    first_event_at = least(s.first_event_at, n.first_event_at),
    last_event_at = greatest(s.last_event_at, n.last_event_at),
    furthest_step = greatest(s.furthest_step, n.furthest_step),
    user_login_state = greatest(s.user_login_state, n.user_login_state),
    checkout_step = greatest(s.checkout_step, n.checkout_step),
    entry = CASE WHEN n.first_event_at <= s.first_event_at THEN n.entry ELSE s.entry END,
    product_steps = ARRAY(SELECT max(x) FROM unnest(s.product_steps || n.product_steps) x GROUP BY x / 8)
  WHEN NOT MATCHED THEN INSERT
    VALUES (n.session_id, n.first_event_at, n.last_event_at, n.furthest_step, n.user_login_state, n.checkout_step,
      n.product_steps, n.entry)
  RETURNING old.first_event_at AS was, new.first_event_at AS became
)
INSERT INTO pg_temp.changed_hours
SELECT date_bin('1 hour', became, 'epoch') FROM changed
UNION SELECT date_bin('1 hour', was, 'epoch') FROM changed WHERE was IS NOT NULL`,

  `CREATE TEMP TABLE stale_funnel ON COMMIT DROP AS
SELECT zone, day FROM (SELECT zone, (hour AT TIME ZONE zone)::date AS day FROM pg_temp.changed_hours, dw.zones)
WHERE (day + 1)::timestamp AT TIME ZONE zone > ${LINE}
UNION
SELECT zone, day FROM pg_temp.stale_days`,
  "ANALYZE pg_temp.stale_funnel",
  `DELETE FROM dw.funnel_days t USING pg_temp.stale_funnel d WHERE t.zone = d.zone AND t.day = d.day`,
  // Sessions that are alike count together.
  `CREATE TEMP TABLE funnel_sessions ON COMMIT DROP AS
SELECT row_number() OVER ()::int AS kind, width_bucket(first_event_at, (${bounds("stale_funnel")})) AS segment,
  user_login_state, furthest_step, checkout_step, product_steps, count(*) AS sessions
FROM (${islands(spansOfDays("stale_funnel"))}) d
JOIN dw.sessions s ON s.first_event_at >= d.lo AND s.first_event_at < d.hi
GROUP BY 2, 3, 4, 5, 6`,
  `WITH named AS (
  SELECT kind, segment, user_login_state, checkout_step, sessions, x / 8 AS product_group, x % 8 AS step
  FROM pg_temp.funnel_sessions, unnest(product_steps) AS x
), reached AS (
  SELECT segment, 'all' AS dimension, NULL AS value, user_login_state, furthest_step AS own, 0 AS bare, sessions
  FROM pg_temp.funnel_sessions
  UNION ALL
  SELECT segment, 'category', category, user_login_state, max(step), checkout_step, sessions
  FROM named JOIN dw.product_groups USING (product_group)
  GROUP BY kind, category, segment, user_login_state, checkout_step, sessions
  UNION ALL
  SELECT segment, 'brand', brand, user_login_state, max(step), checkout_step, sessions
  FROM named JOIN dw.product_groups USING (product_group)
  GROUP BY kind, brand, segment, user_login_state, checkout_step, sessions
), counted AS (
  SELECT segment, dimension, value, user_login_state, sum(sessions) AS sessions,
    CASE WHEN own >= 3 THEN greatest(own, bare) ELSE own END AS step
  FROM reached GROUP BY segment, dimension, value, user_login_state, step
)
INSERT INTO dw.funnel_days
SELECT zone, day, dimension, value, user_login_state, sum(sessions), coalesce(sum(sessions) FILTER (WHERE step >= 1), 0),
  coalesce(sum(sessions) FILTER (WHERE step >= 2), 0), coalesce(sum(sessions) FILTER (WHERE step >= 3), 0),
  coalesce(sum(sessions) FILTER (WHERE step >= 4), 0), coalesce(sum(sessions) FILTER (WHERE step >= 5), 0)
FROM counted JOIN (${segments("stale_funnel")}) g USING (segment) GROUP BY 1, 2, 3, 4, 5`,
  `DELETE FROM dw.entry_days t USING pg_temp.stale_funnel d WHERE t.zone = d.zone AND t.day = d.day`,
  // Of the kind `all` every session, of the others those that have details.
  `WITH alike AS MATERIALIZED (
  SELECT width_bucket(first_event_at, (${bounds("stale_funnel")})) AS segment, entry,
    CASE WHEN entry IS NOT NULL THEN coalesce(entry[1] = ${BOT}, false) END AS is_bot, count(*) AS sessions,
    count(*) FILTER (WHERE furthest_step >= 3) AS carts, count(*) FILTER (WHERE furthest_step = 5) AS checkouts
  FROM (${islands(spansOfDays("stale_funnel"))}) d
  JOIN dw.sessions s ON s.first_event_at >= d.lo AND s.first_event_at < d.hi
  GROUP BY 1, 2
), counted AS (
  SELECT segment, 0 AS kind, NULL::int AS entry_label, is_bot, sum(sessions) AS sessions, sum(carts) AS carts, sum(checkouts) AS checkouts
  FROM alike GROUP BY segment, is_bot
  UNION ALL
  SELECT segment, kind, entry_label, is_bot, sum(sessions), sum(carts), sum(checkouts)
  FROM alike, unnest(entry) WITH ORDINALITY AS of (entry_label, kind) GROUP BY segment, kind, entry_label, is_bot
)
INSERT INTO dw.entry_days
SELECT zone, day, coalesce((ARRAY[${ENTRY_KINDS.map((kind) => `'${kind}'`)}])[c.kind], 'all'), label, is_bot, sum(sessions),
  sum(carts), sum(checkouts)
FROM counted c JOIN (${segments("stale_funnel")}) g USING (segment) LEFT JOIN dw.entry_labels USING (entry_label)
GROUP BY 1, 2, 3, 4, 5`,

  `DELETE FROM dw.product_days t USING pg_temp.stale_days d WHERE t.zone = d.zone AND t.day = d.day`,
  `INSERT INTO dw.product_days
SELECT zone, day, product_id, sum(views), sum(carts), sum(checkout_starts), sum(checkouts), min(lowest), max(highest)
FROM (
  SELECT zone, day, product_id, views, carts, checkout_starts, checkouts, coalesce(discount_price, price) AS lowest,
    coalesce(discount_price, price) AS highest
  FROM pg_temp.new_products JOIN (${segments("stale_days")}) g USING (segment)
  UNION ALL
  SELECT zone, day, product_id, views, carts, checkout_starts, checkouts, lowest_price, highest_price
  FROM dw.pruned_products JOIN pg_temp.stale_days USING (zone, day)
) part GROUP BY 1, 2, 3`,
  `WITH newest AS (
  SELECT DISTINCT ON (product_id) * FROM (
    SELECT product_id, name, category, brand, price, discount_price, url_path, seen_at FROM pg_temp.new_products
    UNION ALL
    SELECT p.* FROM dw.products p WHERE product_id IN (SELECT n.product_id FROM pg_temp.new_products n)
  ) p
  ORDER BY product_id, seen_at DESC, name DESC NULLS LAST, category DESC NULLS LAST, brand DESC NULLS LAST,
    price DESC NULLS LAST, discount_price DESC NULLS LAST, url_path DESC NULLS LAST
)
MERGE INTO dw.products p USING newest n ON p.product_id = n.product_id
WHEN MATCHED AND (p.*) IS DISTINCT FROM (n.*) THEN UPDATE SET name = n.name, category = n.category, brand = n.brand,
  price = n.price, discount_price = n.discount_price, url_path = n.url_path, seen_at = n.seen_at
WHEN NOT MATCHED THEN INSERT
  VALUES (n.product_id, n.name, n.category, n.brand, n.price, n.discount_price, n.url_path, n.seen_at)`,

  `CREATE TEMP TABLE day_visits ON COMMIT DROP AS
SELECT d.zone, d.day, v.client, v.user_id, v.session_id, v.user_login_state, v.events
FROM pg_temp.stale_days d
JOIN dw.visits v ON v.hour >= d.day::timestamp AT TIME ZONE d.zone
  AND v.hour < (d.day + 1)::timestamp AT TIME ZONE d.zone`,
  `DELETE FROM dw.day_clients t USING pg_temp.stale_days d WHERE t.zone = d.zone AND t.day = d.day`,
  `INSERT INTO dw.day_clients
SELECT zone, day, user_login_state, dw.chunk_of(client) AS chunk, bit_or(dw.bit_of(client))
FROM pg_temp.day_visits WHERE client IS NOT NULL GROUP BY 1, 2, 3, 4`,
  `DELETE FROM dw.days t USING pg_temp.stale_days d WHERE t.zone = d.zone AND t.day = d.day`,
  `WITH chunk AS (
  SELECT zone, day, bit_count(bit_or(clients)) AS clients
  FROM dw.day_clients JOIN pg_temp.stale_days USING (zone, day) GROUP BY zone, day, chunk
), visited AS (
  SELECT zone, day, sum(events) AS events, count(DISTINCT user_id) AS users, count(DISTINCT session_id) AS sessions
  FROM pg_temp.day_visits GROUP BY 1, 2
)
INSERT INTO dw.days
SELECT zone, day, events, (SELECT coalesce(sum(clients), 0) FROM chunk c WHERE c.zone = v.zone AND c.day = v.day), users, sessions
FROM visited v`,

  `UPDATE dw.state SET version = version + 1, refreshed_at = clock_timestamp(), newest_event_at = greatest(
  newest_event_at, (SELECT max(last_event_at) FROM pg_temp.new_visits))`,
].join(";\n");
