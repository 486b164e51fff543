/**
 * What a rollup holds, and the same from the raw rows and `dw.funnel_step`: written plainly, without the refresh's short
 * cuts. What begins below the line has no raw rows to be compared with.
 */
export interface RollupTruth {
  readonly rollup: string;
  readonly actual: string;
  readonly truth: string;
}

const HOUR = "date_trunc('hour', event_timestamp, 'UTC')";
const DAY = "(event_timestamp AT TIME ZONE zone)::date";
const LINE = "(SELECT kept_from FROM etl.retention)";
const RAW = `(SELECT * FROM public.clickstream_events WHERE event_timestamp >= ${LINE}) raw`;
const KEPT_DAY = (day: string) => `(${day})::timestamp AT TIME ZONE zone >= ${LINE}`;
const KEPT_SESSION = `NOT EXISTS (
  SELECT FROM dw.sessions old WHERE old.session_id = e.session_id AND old.first_event_at < ${LINE})`;
const BUILT_ZONES = "(SELECT zone FROM dw.zones WHERE built_at IS NOT NULL) z";

const LABEL = (kind: string, column: string) =>
  `CASE WHEN ${column} IS NULL OR ${column} IN (SELECT label FROM dw.labels WHERE kind = '${kind}')
    THEN ${column} ELSE 'other' END`;

/** Equal when both texts are, null being equal to null; and hashable. */
const PAIR = (category: string, brand: string) =>
  `coalesce(${category}, '') COLLATE "C", ${category} IS NULL, coalesce(${brand}, '') COLLATE "C", ${brand} IS NULL`;

/** Raw events as rollups tell them apart, with the funnel step each reaches, and whether it names a product. */
const EVENTS = `(
  SELECT event_id, event_timestamp, event_name, client_id, user_id, session_id, context_product_id,
    ${LABEL("event_name", "event_name")} AS label, ${LABEL("login_state", "user_login_state")} AS user_login_state,
    CASE WHEN grouped THEN context_product_category ELSE 'other' END AS context_product_category,
    CASE WHEN grouped THEN context_product_brand ELSE 'other' END AS context_product_brand, dw.funnel_step(event_name) AS step,
    coalesce(context_product_discount_price, context_product_price) AS price,
    num_nonnulls(context_product_id, context_product_category, context_product_brand) > 0 AS names_product
  FROM (SELECT *, (${PAIR("context_product_category", "context_product_brand")}) IN (
    SELECT ${PAIR("category", "brand")} FROM dw.product_groups) AS grouped FROM ${RAW}) c
) e`;

const SESSIONS = `
SELECT session_id, min(event_timestamp) AS first_event_at, max(event_timestamp) AS last_event_at,
  max(step) AS furthest_step, max(user_login_state COLLATE "C") AS user_login_state,
  max(CASE WHEN step >= 4 AND NOT names_product THEN step ELSE 0 END) AS checkout_step
FROM ${EVENTS} WHERE session_id IS NOT NULL AND ${KEPT_SESSION} GROUP BY session_id`;

const ENTRY_KINDS = ["device", "browser", "referrer", "campaign", "page"];

/** What the details say of the first event of each session that began above the line: of equally early ones, of the least id. */
const ENTRIES = `
SELECT session_id, e.event_timestamp AS first_event_at, coalesce(device = 'bot', false) AS is_bot, ${ENTRY_KINDS.map(
  (
    kind,
  ) => `CASE WHEN ${kind} IS NULL OR ${kind} IN (SELECT label FROM dw.entry_labels WHERE kind = '${kind}')
    THEN ${kind} ELSE 'other' END AS ${kind}`,
)}
FROM (
  SELECT session_id, e.event_timestamp, device, browser, utm.campaign, dw.path_of(page_url) AS page,
    CASE WHEN referrer_host = dw.host_of(page_url) THEN NULL ELSE left(referrer_host, 200) END AS referrer,
    row_number() OVER (PARTITION BY session_id ORDER BY event_id) AS n
  FROM ${EVENTS} JOIN public.clickstream_event_details d USING (event_id)
  JOIN (${SESSIONS}) s USING (session_id),
  LATERAL (SELECT left(nullif(string_agg(part, ' / ' ORDER BY at), ''), 200) AS campaign
    FROM unnest(ARRAY[utm_source, utm_medium, utm_campaign]) WITH ORDINALITY AS utm (part, at)) utm
  WHERE e.event_timestamp = first_event_at
) e WHERE n = 1`;

/** A session's furthest step with the products of one category or brand, see dw.funnel_days. */
const stepsWith = (dimension: string) => `
SELECT first_event_at, '${dimension}' AS dimension, value, user_login_state,
  CASE WHEN own_step >= 3 THEN greatest(own_step, checkout_step) ELSE own_step END AS step
FROM sessions JOIN (
  SELECT session_id, context_product_${dimension} AS value, max(step) AS own_step
  FROM ${EVENTS} WHERE names_product GROUP BY 1, 2
) named USING (session_id)`;

export const ROLLUP_TRUTHS: readonly RollupTruth[] = [
  {
    rollup: "hourly_events",
    actual: `SELECT hour, event_name, user_login_state, events, order_value, priced_orders FROM dw.hourly_events
      WHERE hour >= ${LINE}`,
    truth: `SELECT ${HOUR}, label, user_login_state, count(*),
      sum(CASE WHEN event_name = 'checkout_complete' AND price IS NOT NULL THEN price ELSE 0 END),
      sum(CASE WHEN event_name = 'checkout_complete' AND price IS NOT NULL THEN 1 ELSE 0 END)::bigint
      FROM ${EVENTS} GROUP BY 1, 2, 3`,
  },
  {
    rollup: "visits.steps",
    actual: `SELECT hour, client_id, user_id, session_id, user_login_state, hour + step / 512 * interval '1 millisecond' AS at,
      coalesce(event_name, 'unknown number') AS event_name
      FROM dw.visits LEFT JOIN dw.clients USING (client), unnest(coalesce(steps, '{0}')) AS step
      LEFT JOIN dw.event_numbers ON number = step % 512
      WHERE hour >= ${LINE}`,
    truth: `SELECT hour, client_id, user_id, session_id, user_login_state, at, event_name FROM (
      SELECT ${HOUR} AS hour, client_id, user_id, session_id, user_login_state, at, event_name,
        row_number() OVER (PARTITION BY ${HOUR}, client_id, user_id, session_id, user_login_state ORDER BY at, number) AS n
      FROM (SELECT event_timestamp, client_id, user_id, session_id, user_login_state, coalesce(n.number, o.number) AS number, coalesce(n.event_name, 'other') AS event_name,
          least(date_trunc('milliseconds', event_timestamp + interval '0.5 milliseconds'),
            ${HOUR} + interval '3599.999 seconds') AS at
        FROM ${EVENTS} LEFT JOIN dw.event_numbers n ON n.event_name = e.event_name
        JOIN dw.event_numbers o ON o.event_name = 'other') numbered
    ) ordered WHERE n <= 1000`,
  },
  {
    rollup: "visits",
    actual: `SELECT hour, client_id, user_id, session_id, user_login_state, events, first_event_at, last_event_at,
      furthest_step, checkout_step FROM dw.visits LEFT JOIN dw.clients USING (client) WHERE hour >= ${LINE}`,
    truth: `SELECT ${HOUR}, client_id, user_id, session_id, user_login_state, count(*), min(event_timestamp),
      max(event_timestamp), max(step), max(CASE WHEN step >= 4 AND NOT names_product THEN step ELSE 0 END)
      FROM ${EVENTS} GROUP BY 1, 2, 3, 4, 5`,
  },
  {
    rollup: "days",
    actual: `SELECT zone, day, events, clients, users, sessions FROM dw.days WHERE ${KEPT_DAY("day")}`,
    truth: `SELECT zone, ${DAY}, count(*), count(DISTINCT client_id), count(DISTINCT user_id),
      count(DISTINCT session_id) FROM ${RAW}, ${BUILT_ZONES} WHERE ${KEPT_DAY(DAY)} GROUP BY 1, 2`,
  },
  {
    rollup: "day_clients",
    actual: `SELECT zone, day, user_login_state, client_id
      FROM dw.day_clients CROSS JOIN generate_series(0, 4095) AS bit LEFT JOIN dw.clients ON client = chunk * 4096 + bit
      WHERE get_bit(clients, bit) = 1 AND ${KEPT_DAY("day")}`,
    truth: `SELECT DISTINCT zone, ${DAY}, user_login_state, client_id
      FROM ${EVENTS}, ${BUILT_ZONES} WHERE client_id IS NOT NULL AND ${KEPT_DAY(DAY)}`,
  },
  {
    rollup: "sessions",
    actual: `SELECT session_id, first_event_at, last_event_at, furthest_step, user_login_state, checkout_step
      FROM dw.sessions WHERE first_event_at >= ${LINE}`,
    truth: SESSIONS,
  },
  {
    rollup: "sessions.product_steps",
    actual: `SELECT session_id, category, brand, x % 8 AS step
      FROM dw.sessions, unnest(product_steps) AS x LEFT JOIN dw.product_groups ON product_group = x / 8
      WHERE first_event_at >= ${LINE}`,
    truth: `SELECT session_id, context_product_category, context_product_brand, max(step)
      FROM ${EVENTS} WHERE session_id IS NOT NULL AND names_product AND ${KEPT_SESSION} GROUP BY 1, 2, 3`,
  },
  {
    rollup: "sessions.entry",
    actual: `SELECT session_id, ${ENTRY_KINDS.map(
      (kind) => `(SELECT coalesce(max(label), 'no such label') FROM dw.entry_labels
      WHERE entry_label = entry[${ENTRY_KINDS.indexOf(kind) + 1}] AND kind = '${kind}' HAVING entry[${ENTRY_KINDS.indexOf(kind) + 1}] IS NOT NULL) AS ${kind}`,
    )}
      FROM dw.sessions WHERE entry IS NOT NULL AND first_event_at >= ${LINE}`,
    truth: `SELECT session_id, ${ENTRY_KINDS} FROM (${ENTRIES}) e`,
  },
  {
    rollup: "entry_days",
    actual: `SELECT zone, day, kind, value, is_bot, sessions, carts, checkouts FROM dw.entry_days WHERE ${KEPT_DAY("day")}`,
    truth: `WITH sessions AS MATERIALIZED (${SESSIONS}), entries AS MATERIALIZED (${ENTRIES}), entered AS (
      SELECT s.first_event_at, furthest_step, 'all' AS kind, NULL AS value, is_bot FROM sessions s LEFT JOIN entries USING (session_id)
      UNION ALL
      SELECT s.first_event_at, furthest_step, kind, value, is_bot FROM sessions s JOIN entries USING (session_id),
        LATERAL (VALUES ${ENTRY_KINDS.map((kind) => `('${kind}', ${kind})`)}) AS of (kind, value)
    )
    SELECT zone, (first_event_at AT TIME ZONE zone)::date, kind, value, is_bot, count(*), count(*) FILTER (WHERE furthest_step >= 3),
      count(*) FILTER (WHERE furthest_step >= 5)
    FROM entered, ${BUILT_ZONES} WHERE ${KEPT_DAY("(first_event_at AT TIME ZONE zone)::date")} GROUP BY 1, 2, 3, 4, 5`,
  },
  {
    rollup: "products",
    actual: `SELECT product_id, name, category, brand, price, discount_price, url_path, seen_at FROM dw.products
      WHERE seen_at >= ${LINE}`,
    truth: `SELECT DISTINCT ON (context_product_id) context_product_id, context_product_name,
      context_product_category, context_product_brand, context_product_price, context_product_discount_price,
      context_product_url_path, event_timestamp
      FROM ${RAW} WHERE context_product_id IS NOT NULL
      ORDER BY context_product_id, event_timestamp DESC, context_product_name DESC NULLS LAST,
        context_product_category DESC NULLS LAST, context_product_brand DESC NULLS LAST,
        context_product_price DESC NULLS LAST, context_product_discount_price DESC NULLS LAST,
        context_product_url_path DESC NULLS LAST`,
  },
  {
    rollup: "product_days",
    actual: `SELECT zone, day, product_id, views, carts, checkout_starts, checkouts, lowest_price, highest_price
      FROM dw.product_days WHERE ${KEPT_DAY("day")}`,
    truth: `SELECT zone, ${DAY}, context_product_id, count(*) FILTER (WHERE event_name = 'product_view'),
      count(*) FILTER (WHERE event_name = 'add_to_cart_click'),
      count(*) FILTER (WHERE event_name = 'checkout_start'), count(*) FILTER (WHERE event_name = 'checkout_complete'),
      min(coalesce(context_product_discount_price, context_product_price)),
      max(coalesce(context_product_discount_price, context_product_price))
      FROM ${RAW}, ${BUILT_ZONES} WHERE context_product_id IS NOT NULL AND ${KEPT_DAY(DAY)} GROUP BY 1, 2, 3`,
  },
  {
    rollup: "funnel_days",
    actual: `SELECT zone, day, dimension, value, user_login_state, sessions, views, product_views, carts,
      checkout_starts, checkouts FROM dw.funnel_days WHERE ${KEPT_DAY("day")}`,
    truth: `WITH sessions AS MATERIALIZED (${SESSIONS}), reached AS (
      SELECT first_event_at, 'all' AS dimension, NULL AS value, user_login_state, furthest_step AS step FROM sessions
      UNION ALL ${stepsWith("category")} UNION ALL ${stepsWith("brand")}
    )
    SELECT zone, (first_event_at AT TIME ZONE zone)::date, dimension, value, user_login_state, count(*),
      count(*) FILTER (WHERE step >= 1), count(*) FILTER (WHERE step >= 2), count(*) FILTER (WHERE step >= 3),
      count(*) FILTER (WHERE step >= 4), count(*) FILTER (WHERE step >= 5)
    FROM reached, ${BUILT_ZONES} WHERE ${KEPT_DAY("(first_event_at AT TIME ZONE zone)::date")} GROUP BY 1, 2, 3, 4, 5`,
  },
  {
    rollup: "state",
    actual: "SELECT newest_event_at FROM dw.state",
    // When the last row is pruned it stays what it was.
    truth: `SELECT CASE WHEN ${LINE} = '-infinity' THEN max(event_timestamp)
      ELSE coalesce(max(event_timestamp), (SELECT newest_event_at FROM dw.state)) END FROM ${RAW}`,
  },
];
