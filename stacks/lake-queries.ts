/** One of the questions the dashboard answers, asked of the lake. No construct in here: the command `query` knows them too. */
export interface SavedQuery {
  readonly name: string;
  readonly question: string;
  /** As Athena and DuckDB both understand it. */
  readonly sql: string;
}

/** Without a range of days a query looks for each day since 2000. */
const LAST_DAYS = "day >= current_date - INTERVAL '30' DAY";
const VISITOR = "coalesce(user_id, client_id)";

export const SAVED_QUERIES: readonly SavedQuery[] = [
  {
    name: "days",
    question: "Events, sessions and visitors of each of the last 30 days",
    sql: `SELECT day, count(*) AS events, count(DISTINCT session_id) AS sessions, count(DISTINCT ${VISITOR}) AS visitors
FROM clickstream_events WHERE ${LAST_DAYS} GROUP BY day ORDER BY day`,
  },
  {
    name: "events",
    question: "What visitors did in the last 30 days, by the event's name",
    sql: `SELECT event_name, count(*) AS events, count(DISTINCT ${VISITOR}) AS visitors
FROM clickstream_events WHERE ${LAST_DAYS} GROUP BY event_name ORDER BY events DESC`,
  },
  {
    name: "hours",
    question: "Events by the hour of the day (UTC) in the last 30 days",
    sql: `SELECT extract(hour FROM event_timestamp) AS hour_utc, count(*) AS events
FROM clickstream_events WHERE ${LAST_DAYS} GROUP BY 1 ORDER BY 1`,
  },
  {
    name: "funnel",
    question: "Visitors at each step to a finished checkout in the last 30 days",
    sql: `SELECT count(DISTINCT CASE WHEN event_name = 'product_view' THEN ${VISITOR} END) AS viewed,
  count(DISTINCT CASE WHEN event_name = 'add_to_cart_click' THEN ${VISITOR} END) AS added,
  count(DISTINCT CASE WHEN event_name = 'checkout_start' THEN ${VISITOR} END) AS started,
  count(DISTINCT CASE WHEN event_name = 'checkout_complete' THEN ${VISITOR} END) AS completed
FROM clickstream_events WHERE ${LAST_DAYS}`,
  },
  {
    name: "products",
    question: "The products that were looked at most in the last 30 days",
    sql: `SELECT context_product_id AS product, max(context_product_name) AS name,
  count(CASE WHEN event_name = 'product_view' THEN 1 END) AS views,
  count(CASE WHEN event_name = 'add_to_cart_click' THEN 1 END) AS added
FROM clickstream_events WHERE ${LAST_DAYS} AND context_product_id IS NOT NULL
GROUP BY context_product_id ORDER BY views DESC LIMIT 20`,
  },
  {
    name: "visitors",
    question: "New visitors and returning ones, by day, in the last 30 days",
    sql: `SELECT day, count(DISTINCT CASE WHEN is_first_visit THEN client_id END) AS first_visits,
  count(DISTINCT client_id) AS clients, count(DISTINCT CASE WHEN user_login_state = 'logged_in' THEN user_id END) AS logged_in
FROM clickstream_events WHERE ${LAST_DAYS} GROUP BY day ORDER BY day`,
  },
  {
    name: "sources",
    question: "Where visitors came from in the last 30 days",
    sql: `SELECT coalesce(utm_source, referrer_host, 'direct') AS source, count(DISTINCT session_id) AS sessions, count(*) AS events
FROM clickstream_events WHERE ${LAST_DAYS} GROUP BY 1 ORDER BY sessions DESC LIMIT 20`,
  },
  {
    name: "devices",
    question: "Devices, browsers and crawlers in the last 30 days",
    sql: `SELECT device, browser, is_bot, count(DISTINCT client_id) AS clients, count(*) AS events
FROM clickstream_events WHERE ${LAST_DAYS} GROUP BY device, browser, is_bot ORDER BY events DESC LIMIT 20`,
  },
];
