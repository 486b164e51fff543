import { readdir, readFile } from "node:fs/promises";
import { expect } from "chai";
import pg from "pg";
import { smallShop } from "../../testing/dashboard/warehouse.js";
import type { TestDatabase } from "../../testing/postgres.js";

type Row = Record<string, unknown>;

const SQL = new URL("../../dashboard/app/sql/", import.meta.url);
const ZONES = ["Asia/Ho_Chi_Minh", "UTC"];
const RANGES = [
  ["2025-11-28", "2025-12-04"],
  ["2025-12-07", "2025-12-07"],
  ["2025-11-01", "2025-12-31"],
] as const;
const PRICE = "coalesce(context_product_discount_price, context_product_price)";
const LOGINS = ["", "-", "anonymous", "logged_in"];

/** The raw rows of a choice: the range in local days and, as the app's statements have it, the login state. */
const IN_RANGE = `event_timestamp >= $1::date::timestamp AT TIME ZONE $3
  AND event_timestamp < ($2::date + 1)::timestamp AT TIME ZONE $3`;
const LOGIN = "($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))";

describe("the SQL of the dashboard's panels", () => {
  let database: TestDatabase;
  let reader: pg.Client;

  before(async () => {
    database = await smallShop();
    reader = new pg.Client({ ...database.config, options: "-c role=dashboard_reader -c work_mem=64MB" });
    await reader.connect();
  });
  after(async () => {
    await reader?.end();
    await database?.drop();
  });

  /** As the app asks: the file's statement, every value bound as text. */
  async function panel(name: string, ...values: (string | number)[]): Promise<Row[]> {
    const text = await readFile(new URL(`${name}.sql`, SQL), "utf8");
    return (await reader.query(text, values.map(String))).rows;
  }
  const raw = async (text: string, ...values: (string | number)[]): Promise<Row[]> =>
    (await database.pool.query(text, values.map(String))).rows;

  /** Every combination of zone, range and login state. */
  async function eachChoice(
    check: (choice: [string, string, string, string]) => Promise<void>,
  ): Promise<void> {
    for (const zone of ZONES)
      for (const [from, to] of RANGES) for (const login of LOGINS) await check([from, to, zone, login]);
  }

  const REACHED = `(count(*) FILTER (WHERE step >= 1))::float8 AS views, (count(*) FILTER (WHERE step >= 2))::float8 AS product_views,
    (count(*) FILTER (WHERE step >= 3))::float8 AS carts, (count(*) FILTER (WHERE step >= 4))::float8 AS checkout_starts,
    (count(*) FILTER (WHERE step >= 5))::float8 AS checkouts`;
  const STEP = `CASE event_name WHEN 'checkout_complete' THEN 5 WHEN 'checkout_start' THEN 4 WHEN 'add_to_cart_click' THEN 3
    WHEN 'product_view' THEN 2 WHEN 'page_view' THEN 1 WHEN 'home_view' THEN 1 WHEN 'category_view' THEN 1 ELSE 0 END`;
  const SESSIONS = `SELECT session_id, min(event_timestamp) AS event_timestamp, max(user_login_state COLLATE "C") AS user_login_state, max(${STEP}) AS step
    FROM public.clickstream_events WHERE session_id IS NOT NULL GROUP BY session_id`;

  /** Sessions with a category or brand: a session's checkout belongs to what it has put in its cart. */
  const partsOf = (dimension: string) => `
    SELECT event_timestamp, user_login_state, value, CASE WHEN own >= 3 AND sessions.step > own THEN sessions.step ELSE own END AS step
    FROM (SELECT session_id, context_product_${dimension} AS value, max(${STEP}) AS own FROM public.clickstream_events
      WHERE session_id IS NOT NULL AND context_product_id IS NOT NULL GROUP BY 1, 2) AS parts
    JOIN (${SESSIONS}) AS sessions USING (session_id)`;

  it("has a test here for every statement", async () => {
    const names = (await readdir(SQL)).map((file) => file.replace(".sql", ""));
    const source = await readFile(new URL(import.meta.url), "utf8");
    expect(names).to.have.length.above(10);
    for (const name of names) expect(source, name).to.include(`panel("${name}"`);
  });

  it("says how fresh the data is", async () => {
    const [row] = await panel("freshness", "UTC");
    const [{ newest }] = (await raw(
      "SELECT to_char(max(event_timestamp) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS newest FROM public.clickstream_events",
    )) as [Row];
    expect(row).to.include({
      zone: "UTC",
      has_events: true,
      has_rollups: true,
      newest_event: newest,
      covered_until: newest,
    });
    expect((await panel("freshness", "Mars/Base"))[0]).to.include({ zone: "Asia/Ho_Chi_Minh" });
    expect((await panel("freshness", "Mars/Base"))[0]?.newest_load).to.equal(row?.newest_load);
    const [quality] = await panel("quality_freshness", "UTC");
    expect(quality).to.include({ newest_event: newest, stale_hours: 0 });
    expect(quality?.overdue).to.be.within(2 * 3600 - 1, 3 * 3600); // by then: the machine may be busy
    expect(quality?.newest_load_age).to.be.within(179 * 60 - 1, 239 * 60);
  });

  it("offers exactly the names that occur", async () => {
    const choices = await panel("choices");
    const of = (kind: string) => choices.filter((row) => row.kind === kind).map((row) => row.value);
    const distinct = async (column: string) =>
      (
        await raw(
          `SELECT DISTINCT ${column} AS value FROM public.clickstream_events WHERE ${column} IS NOT NULL`,
        )
      ).map((row) => row.value);
    expect(of("zone")).to.deep.equal(ZONES);
    for (const [kind, column] of [
      ["event", "event_name"],
      ["login", "user_login_state"],
      ["category", "context_product_category"],
      ["brand", "context_product_brand"],
    ] as const)
      expect(of(kind), kind).to.have.members(await distinct(column));
  });

  it("totals a period and the one before", async () => {
    await eachChoice(async ([from, to, zone, login]) => {
      const [row] = await panel(
        "overview_totals",
        from,
        to,
        zone,
        login,
        "2099-01-01 00:00:00",
        "",
        "all",
        "",
      );
      const [truth] = await raw(
        `WITH events AS (SELECT *, ${IN_RANGE} AS now,
             event_timestamp >= ($1::date - ($2::date - $1::date + 1))::timestamp AT TIME ZONE $3
               AND event_timestamp < $1::date::timestamp AT TIME ZONE $3 AS before
           FROM public.clickstream_events WHERE ${LOGIN}),
         -- of all rows, because a session's state, begin and furthest step are those of all its events
         sessions AS (SELECT session_id, min(event_timestamp) AS event_timestamp, max(user_login_state COLLATE "C") AS user_login_state,
             bool_or(event_name = 'checkout_complete') AS converted
           FROM public.clickstream_events WHERE session_id IS NOT NULL GROUP BY session_id),
         begun AS (SELECT *, ${IN_RANGE} AS now,
             event_timestamp >= ($1::date - ($2::date - $1::date + 1))::timestamp AT TIME ZONE $3
               AND event_timestamp < $1::date::timestamp AT TIME ZONE $3 AS before
           FROM sessions WHERE ${LOGIN})
         SELECT (count(*) FILTER (WHERE now))::float8 AS events, (count(*) FILTER (WHERE before))::float8 AS events_before,
           (count(DISTINCT client_id) FILTER (WHERE now))::float8 AS visitors, (count(DISTINCT client_id) FILTER (WHERE before))::float8 AS visitors_before,
           (SELECT count(*)::float8 FROM begun WHERE now) AS sessions, (SELECT count(*)::float8 FROM begun WHERE before) AS sessions_before,
           (SELECT count(*)::float8 FROM begun WHERE now AND converted) AS converted,
           (SELECT count(*)::float8 FROM begun WHERE before AND converted) AS converted_before,
           (count(*) FILTER (WHERE now AND event_name = 'checkout_complete'))::float8 AS orders,
           (count(*) FILTER (WHERE before AND event_name = 'checkout_complete'))::float8 AS orders_before,
           coalesce(sum(${PRICE}) FILTER (WHERE now AND event_name = 'checkout_complete'), 0)::float8 AS value,
           coalesce(sum(${PRICE}) FILTER (WHERE before AND event_name = 'checkout_complete'), 0)::float8 AS value_before,
           (count(${PRICE}) FILTER (WHERE now AND event_name = 'checkout_complete'))::float8 AS priced
         FROM events`,
        from,
        to,
        zone,
        login,
      );
      expect(row, `${from} ${to} ${zone} ${login}`).to.deep.equal(truth);
    });
  });

  for (const cut of ["06:00:00", "06:17:31", "23:59:59", "00:00:00"])
    it(`compares a period that ends at ${cut} so far with the same part of the one before`, async () => {
      const covered = `2025-12-03 ${cut}`;
      const before = `event_timestamp >= '2025-11-24Z' AND event_timestamp < '2025-11-26 ${cut}Z'`;
      for (const login of LOGINS) {
        const period = ["2025-12-01", "2025-12-07", "UTC", login, covered] as const;
        const [row] = await panel("overview_totals", ...period, "", "all", "");
        const ofLogin = LOGIN.replaceAll("$4", "$1");
        const [events] = await raw(
          `SELECT count(*)::float8 AS events, count(DISTINCT client_id)::float8 AS visitors,
             (count(*) FILTER (WHERE event_name = 'checkout_complete'))::float8 AS orders,
             coalesce(sum(${PRICE}) FILTER (WHERE event_name = 'checkout_complete'), 0)::float8 AS value,
             (count(*) FILTER (WHERE event_name = 'click'))::float8 AS clicks
           FROM public.clickstream_events WHERE ${before} AND ${ofLogin}`,
          login,
        );
        expect(row?.orders_before, login).to.equal(events?.orders);
        expect(row?.value_before, login).to.equal(events?.value);
        const [clicks] = await panel("overview_totals", ...period, "click", "all", "");
        expect(clicks?.events_before, login).to.equal(events?.clicks);
        expect(row?.events_before, login).to.equal(events?.events);
        expect(row?.visitors_before, login).to.equal(events?.visitors);
        const [sessions] = await raw(
          `SELECT count(*)::float8 AS n, (count(*) FILTER (WHERE step = 5))::float8 AS converted
           FROM (${SESSIONS}) AS sessions WHERE ${before} AND ${ofLogin}`,
          login,
        );
        expect(row?.sessions_before, login).to.equal(sessions?.n);
        expect(row?.converted_before, login).to.equal(sessions?.converted);
        const [laptops] = await panel("overview_totals", ...period, "", "category", "Laptop");
        const [ofLaptops] = await raw(
          `SELECT count(*)::float8 AS n, (count(*) FILTER (WHERE step = 5))::float8 AS converted
           FROM (${partsOf("category")}) AS parts WHERE ${before} AND ${ofLogin} AND value = 'Laptop'`,
          login,
        );
        expect(laptops?.sessions_before, login).to.equal(ofLaptops?.n);
        expect(laptops?.converted_before, login).to.equal(ofLaptops?.converted);
      }
    });

  const BUCKETS = ["hour", "day", "week", "month"];

  it("counts every metric over time, by every bucket, without a gap, beside the period before", async () => {
    const earlier = (column: string) =>
      `(${column} AT TIME ZONE $3)::date < $1::date AND (${column} AT TIME ZONE $3)::date >= $1::date - ($2::date - $1::date + 1)`;
    for (const bucket of BUCKETS)
      await eachChoice(async (choice) => {
        const rows = await panel("overview_series", ...choice, bucket, "", "all", "");
        for (const [i, row] of rows.entries())
          if (i > 0) expect(row.bucket).to.equal(rows[i - 1]?.bucket_end);
        for (const [side, where] of [
          ["", IN_RANGE],
          ["_before", earlier("event_timestamp")],
        ] as const) {
          const truth = await raw(
            `WITH events AS (SELECT date_trunc($5, event_timestamp AT TIME ZONE $3) AS bucket, count(*)::float8 AS events,
               count(DISTINCT client_id)::float8 AS visitors,
               (count(*) FILTER (WHERE event_name = 'checkout_complete'))::float8 AS orders,
               sum(${PRICE}) FILTER (WHERE event_name = 'checkout_complete')::float8 AS value
             FROM public.clickstream_events WHERE ${where} AND ${LOGIN} GROUP BY 1),
             sessions AS (SELECT date_trunc($5, event_timestamp AT TIME ZONE $3) AS bucket, count(*)::float8 AS sessions,
               (count(*) FILTER (WHERE step = 5))::float8 AS converted
             FROM (${SESSIONS}) AS sessions WHERE ${where} AND ${LOGIN} GROUP BY 1)
             SELECT to_char(bucket, 'YYYY-MM-DD HH24:MI:SS') AS bucket, coalesce(events, 0) AS events, coalesce(visitors, 0) AS visitors,
               coalesce(sessions, 0) AS sessions, coalesce(converted, 0) AS converted, coalesce(orders, 0) AS orders, coalesce(value, 0) AS value
             FROM events FULL JOIN sessions USING (bucket) ORDER BY 1`,
            ...choice,
            bucket,
          );
          const shown = rows.map((row) => ({
            bucket: row[`bucket${side}`],
            events: row[`events${side}`],
            visitors: row[`visitors${side}`],
            sessions: row[`sessions${side}`],
            converted: row[`converted${side}`],
            orders: row[`orders${side}`],
            value: row[`value${side}`],
          }));
          const counted = shown.filter((row) => row.events || row.sessions);
          const known = new Set(shown.map((row) => row.bucket)); // a month before may have more columns than this one
          expect(counted, `${bucket} ${choice} ${side}`).to.deep.equal(
            truth.filter((row) => known.has(row.bucket)),
          );
        }
      });
  });

  it("narrows events by a name, and sessions by a category or brand, over time", async () => {
    const choice = ["2025-11-28", "2025-12-04", "UTC", ""] as const;
    for (const [dimension, value] of [
      ["category", "Laptop"],
      ["brand", "Sony"],
    ] as const) {
      const rows = await panel("overview_series", ...choice, "day", "click", dimension, value);
      const truth = await raw(
        `SELECT to_char(event_timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD 00:00:00') AS bucket, count(*)::float8 AS sessions,
           (count(*) FILTER (WHERE step = 5))::float8 AS converted
         FROM (${partsOf(dimension)}) AS parts WHERE ${IN_RANGE} AND ${LOGIN} AND value = $5 GROUP BY 1 ORDER BY 1`,
        ...choice,
        value,
      );
      expect(rows.map(({ bucket, sessions, converted }) => ({ bucket, sessions, converted }))).to.deep.equal(
        truth,
      );
      const [clicks] = await raw(
        `SELECT count(*)::float8 AS n FROM public.clickstream_events WHERE ${IN_RANGE} AND ${LOGIN} AND event_name = 'click'`,
        ...choice,
      );
      expect(rows.reduce((sum, row) => sum + Number(row.events), 0)).to.equal(clicks?.n);
    }
  });

  it("follows cohorts of visitors by when they were first seen", async () => {
    for (const zone of ZONES)
      for (const unit of ["week", "day"])
        for (const [from, to] of RANGES) {
          const rows = await panel("retention_cohorts", from, to, zone, unit);
          const truth = await raw(
            `WITH seen AS (SELECT DISTINCT client_id, date_trunc($4, event_timestamp AT TIME ZONE $3)::date AS period
               FROM public.clickstream_events WHERE client_id IS NOT NULL),
             born AS (SELECT client_id, min(period) AS cohort FROM seen GROUP BY 1)
             SELECT to_char(cohort, 'YYYY-MM-DD') AS cohort, ((period - cohort) / CASE $4 WHEN 'week' THEN 7 ELSE 1 END)::int AS after,
               count(*)::float8 AS visitors
             FROM born JOIN seen USING (client_id)
             WHERE cohort >= date_trunc($4, $1::date) AND cohort <= $2::date
               AND ($4 = 'week' OR cohort > $2::date - 31)
             GROUP BY cohort, period ORDER BY cohort, period`,
            from,
            to,
            zone,
            unit,
          );
          const came = rows.filter((row) => row.visitors !== 0);
          expect(
            came.map(({ cohort, after, visitors }) => ({ cohort, after, visitors })),
            `${zone} ${unit} ${from}`,
          ).to.deep.equal(truth);
        }
  });

  it("tells new visitors from those that come again, and counts their sessions", async () => {
    for (const zone of ZONES)
      for (const [from, to] of RANGES) {
        for (const bucket of BUCKETS.slice(1)) {
          const rows = await panel("visitors_new", from, to, zone, bucket);
          const truth = await raw(
            `WITH seen AS (SELECT DISTINCT client_id, (event_timestamp AT TIME ZONE $3)::date AS day
               FROM public.clickstream_events WHERE client_id IS NOT NULL),
             born AS (SELECT client_id, min(day) AS first_day FROM seen GROUP BY 1)
             SELECT to_char(bucket, 'YYYY-MM-DD HH24:MI:SS') AS bucket,
               (count(DISTINCT client_id) FILTER (WHERE is_new))::float8 AS new_visitors,
               (count(DISTINCT client_id) FILTER (WHERE NOT is_new))::float8 AS returning_visitors
             FROM (SELECT client_id, date_trunc($4, day::timestamp) AS bucket,
                 first_day >= $1::date AND date_trunc($4, first_day::timestamp) = date_trunc($4, day::timestamp) AS is_new
               FROM seen JOIN born USING (client_id) WHERE day BETWEEN $1::date AND $2::date) AS days
             GROUP BY bucket ORDER BY bucket`,
            from,
            to,
            zone,
            bucket,
          );
          const came = rows.filter((row) => Number(row.new_visitors) + Number(row.returning_visitors) > 0);
          expect(came, `${zone} ${bucket} ${from}`).to.deep.equal(truth);
        }
        for (const login of LOGINS) {
          const rows = await panel("visitors_sessions", from, to, zone, login);
          const truth = await raw(
            `SELECT least(sessions, 10)::int AS sessions, count(*)::float8 AS visitors FROM (
               SELECT client_id, count(DISTINCT session_id) AS sessions FROM public.clickstream_events
               WHERE ${IN_RANGE} AND ${LOGIN} AND client_id IS NOT NULL AND session_id IS NOT NULL GROUP BY 1) AS clients
             GROUP BY 1 ORDER BY 1`,
            from,
            to,
            zone,
            login,
          );
          expect(rows, `${zone} ${login}`).to.deep.equal(truth);
        }
      }
  });

  it("shows one product: what it is, and day by day", async () => {
    const products = ["sku-1", "sku-3", "sku-8", "no such product"];
    for (const product of products) {
      const rows = await panel("product_days", "2025-11-24", "2025-12-07", "UTC", product);
      expect(rows).to.have.length(14);
      const [truth] = await raw(
        `SELECT (count(*) FILTER (WHERE event_name = 'product_view'))::float8 AS views,
           (count(*) FILTER (WHERE event_name = 'add_to_cart_click'))::float8 AS carts,
           min(coalesce(context_product_discount_price, context_product_price))::float8 AS lowest_price,
           max(coalesce(context_product_discount_price, context_product_price))::float8 AS highest_price
         FROM public.clickstream_events WHERE context_product_id = $1 AND event_timestamp >= '2025-12-02Z' AND event_timestamp < '2025-12-03Z'`,
        product,
      );
      expect(rows[8], product).to.include({ day: "2025-12-02", ...truth });
      const [about] = await panel("product", product, "UTC");
      const [named] = await raw(`SELECT name FROM (${CATALOGUE}) AS c WHERE product_id = $1`, product);
      expect(about?.name, product).to.equal(named?.name);
    }
  });

  it("splits events by name and by login state", async () => {
    await eachChoice(async ([from, to, zone, login]) => {
      for (const [name, column] of [
        ["overview_event_mix", "event_name"],
        ["overview_login_states", "user_login_state"],
      ] as const) {
        const rows =
          name === "overview_event_mix"
            ? await panel("overview_event_mix", from, to, zone, login)
            : await panel("overview_login_states", from, to, zone, login);
        const truth = await raw(
          `SELECT ${column}, count(*)::float8 AS events FROM public.clickstream_events WHERE ${IN_RANGE} AND ${LOGIN} GROUP BY 1`,
          from,
          to,
          zone,
          login,
        );
        expect(rows, name).to.have.deep.members(truth);
      }
    });
  });

  /** Products as the catalogue describes them now: by the newest event that names each. */
  const CATALOGUE = `SELECT DISTINCT ON (context_product_id) context_product_id AS product_id, context_product_name AS name,
      context_product_category AS category, context_product_brand AS brand, context_product_price AS price
    FROM public.clickstream_events WHERE context_product_id IS NOT NULL
    ORDER BY context_product_id, event_timestamp DESC, event_id DESC`;

  it("ranks products, and narrows them by category, brand and search", async () => {
    for (const zone of ZONES)
      for (const [from, to] of RANGES)
        for (const [category, brand, search] of [
          ["", "", ""],
          ["Laptop", "", ""],
          ["", "Sony", ""],
          ["", "", "ĐIỆN THOẠI"],
          ["", "", "sku-1"],
          ["", "", "%"],
          ["", "", '"xss"'],
        ] as const) {
          const rows = await panel(
            "products_top",
            from,
            to,
            zone,
            category,
            brand,
            search,
            "views",
            "desc",
            0,
            100,
          );
          const truth = await raw(
            `SELECT product_id, (count(*) FILTER (WHERE event_name = 'product_view'))::float8 AS views,
               (count(*) FILTER (WHERE event_name = 'add_to_cart_click'))::float8 AS carts
             FROM public.clickstream_events JOIN (${CATALOGUE}) AS catalogue ON product_id = context_product_id
             WHERE ${IN_RANGE} AND event_name IN ('product_view', 'add_to_cart_click', 'checkout_start', 'checkout_complete')
               AND ($4 = '' OR category = $4) AND ($5 = '' OR brand = $5)
               AND ($6 = '' OR strpos(lower(name), lower($6)) > 0 OR strpos(lower(product_id), lower($6)) > 0)
             GROUP BY product_id ORDER BY views DESC, carts DESC, product_id`,
            from,
            to,
            zone,
            category,
            brand,
            search,
          );
          const shown = rows.map(({ product_id, views, carts }) => ({ product_id, views, carts }));
          expect(shown, `${category} ${brand} ${search}`).to.deep.equal(truth);
          for (const dimension of ["category", "brand"]) {
            const groups = await panel("products_groups", from, to, zone, category, brand, search, dimension);
            const sum = (list: Row[]) => list.reduce((total, row) => total + Number(row.views), 0);
            expect(sum(groups)).to.equal(sum(truth));
            for (const group of groups) {
              const own = rows.filter((row) => row[dimension] === group.value);
              expect(group.views, String(group.value)).to.equal(sum(own));
            }
          }
        }
  });

  it("orders products by each column, and pages through all of them once", async () => {
    const all = ["2025-11-01", "2025-12-31", "UTC", "", "", ""] as const;
    const rows = await panel("products_top", ...all, "conversion", "desc", 0, 100);
    const rates = rows.map((row) => Number(row.carts) / Number(row.views));
    expect(rates).to.deep.equal([...rates].sort((a, b) => b - a));
    const most = Math.max(...rows.map((row) => Number(row.views)));
    for (const row of rows) expect(Number(row.views) * 20).to.be.at.least(most);
    for (const column of ["views", "carts", "checkout_starts", "checkouts", "price"])
      for (const order of ["asc", "desc"]) {
        const values = (await panel("products_top", ...all, column, order, 0, 100)).map((row) =>
          Number(row[column]),
        );
        const sorted = [...values].sort((a, b) => (order === "asc" ? a - b : b - a));
        expect(values, `${column} ${order}`).to.deep.equal(sorted);
      }
    const names = (await panel("products_top", ...all, "name", "asc", 0, 100)).map((row) => row.name);
    const reversed = (await panel("products_top", ...all, "name", "desc", 0, 100)).map((row) => row.name);
    expect(reversed).to.deep.equal([...names].reverse());
    const paged: unknown[] = [];
    for (let skip = 0; skip < names.length; skip += 4) {
      const page = await panel("products_top", ...all, "name", "asc", skip, 4);
      expect(page[0]?.products).to.equal(names.length);
      paged.push(...page.map((row) => row.name));
    }
    expect(paged).to.deep.equal(names);
  });

  it("counts the sessions that reach each step", async () => {
    await eachChoice(async (choice) => {
      const [row] = await panel("funnel_steps", ...choice, "all", "");
      const [truth] = await raw(
        `SELECT count(*)::float8 AS sessions, ${REACHED} FROM (${SESSIONS}) AS sessions WHERE ${IN_RANGE} AND ${LOGIN}`,
        ...choice,
      );
      expect(row, choice.join(" ")).to.deep.equal(truth);
      const byState = await panel("funnel_by", ...choice, "login");
      const states = await raw(
        `SELECT user_login_state AS value, count(*)::float8 AS sessions, ${REACHED} FROM (${SESSIONS}) AS sessions
         WHERE ${IN_RANGE} AND ${LOGIN} GROUP BY 1`,
        ...choice,
      );
      expect(byState).to.have.deep.members(states);
    });
  });

  it("counts the funnel of a category and of a brand", async () => {
    for (const dimension of ["category", "brand"]) {
      const truth = await raw(
        `SELECT value, count(*)::float8 AS sessions, ${REACHED} FROM (${partsOf(dimension)}) AS parts GROUP BY value`,
      );
      const rows = await panel("funnel_by", "2025-11-01", "2025-12-31", "UTC", "", dimension);
      expect(rows).to.have.deep.members(truth);
      for (const row of truth.filter(({ value }) => value !== null)) {
        const { value, ...counts } = row;
        const [one] = await panel(
          "funnel_steps",
          "2025-11-01",
          "2025-12-31",
          "UTC",
          "",
          dimension,
          String(value),
        );
        expect(one).to.deep.equal(counts);
      }
    }
  });

  /** Who of a choice did what, in order; an event of the same instant as another comes in the order of its name's number. */
  async function ways(who: string, choice: readonly [string, string, string, string]) {
    const rows = await raw(
      `SELECT who, array_agg(event_name ORDER BY event_timestamp, number) AS names,
         array_agg(extract(epoch FROM event_timestamp)::float8 * 1000 ORDER BY event_timestamp, number) AS at
       FROM (SELECT ${who} AS who, * FROM public.clickstream_events JOIN dw.event_numbers USING (event_name)
         WHERE ${IN_RANGE} AND ${who} IS NOT NULL) e
       GROUP BY who HAVING $4 = '' OR max(user_login_state COLLATE "C") = $4 OR ($4 = '-' AND max(user_login_state) IS NULL)`,
      ...choice,
    );
    return rows as unknown as { names: string[]; at: number[] }[];
  }

  it("links what sessions do after and before an event, step by step", async () => {
    for (const event of ["product_view", "click", "checkout_complete", "no such event"])
      await eachChoice(async (choice) => {
        const links = new Map<string, number>();
        for (const { names } of await ways("session_id", choice)) {
          const way = names.filter((name, i) => name !== names[i - 1]);
          const at = way.indexOf(event);
          if (at < 0) continue;
          for (const [direction, then] of [
            ["after", way.slice(at, at + 5)],
            ["before", way.slice(0, at + 1).reverse()],
          ] as const)
            for (const [i, source] of then.slice(0, 3).entries()) {
              const link = [direction, i + 1, source, then[i + 1] ?? "(end)"].join();
              links.set(link, (links.get(link) ?? 0) + 1);
            }
        }
        const rows = await panel("paths", ...choice, event);
        const told = rows.map(
          ({ direction, step, source, target, sessions }) =>
            [[direction, step, source, target].join(), sessions] as const,
        );
        expect(new Set(rows.map((row) => row.one_in)))
          .to.have.property("size")
          .at.most(1);
        if (rows.some((row) => row.target === "(others)")) {
          const sum = (counts: Iterable<number>) => [...counts].reduce((a, b) => a + b, 0);
          expect(sum(rows.map((row) => Number(row.sessions)))).to.equal(sum(links.values()));
        } else
          expect(Object.fromEntries(told), `${choice} ${event}`).to.deep.equal(Object.fromEntries(links));
      });
  });

  it("counts who takes steps of one's own in order, within a session or so many days", async () => {
    const FUNNELS = [
      ["product_view", "checkout_complete"],
      ["home_view", "product_view", "click", "product_view"],
      ["click", "click", "click"],
      ["product_view", "no such event", "click"],
      [
        "home_view",
        "category_view",
        "home_view",
        "product_view",
        "home_view",
        "page_view",
        "home_view",
        "click",
      ],
    ];
    const DAY = 86_400_000;
    for (const steps of FUNNELS)
      for (const within of ["", "1", "7"])
        await eachChoice(async (choice) => {
          const truth = steps.map((event_name, i) => ({ step: i + 1, event_name, reached: 0, one_in: 1 }));
          for (const { names, at } of await ways(within === "" ? "session_id" : "client_id", choice)) {
            /** From each first step on: take every further one as soon as it comes. */
            const taken = names.map((_, from) => {
              let next = 0;
              for (let i = from; i < names.length && next < steps.length; i++)
                if (names[i] === steps[next] && (i === from || next > 0))
                  if (within === "" || (at[i] as number) - (at[from] as number) <= Number(within) * DAY)
                    next++;
              return next;
            });
            const reached = Math.max(0, ...taken);
            for (const row of truth.slice(0, reached)) row.reached++;
          }
          const asked = [...steps, ...Array<string>(8 - steps.length).fill("")];
          expect(
            await panel("funnel_own", ...choice, ...asked, within),
            `${choice} ${steps} ${within}`,
          ).to.deep.equal(truth);
        });
  });

  it("reads one in so many where there are too many events, and counts it for as many", async () => {
    const bound = async (name: string, ...values: string[]) => {
      const text = await readFile(new URL(`${name}.sql`, SQL), "utf8");
      expect(text).to.include("/ 500000");
      return (await reader.query(text.replace("/ 500000", "/ 1000"), values)).rows as Row[];
    };
    const all = ["2025-11-01", "2025-12-31", "UTC", ""] as const;
    const [exact] = await panel("funnel_own", ...all, "product_view", "", "", "", "", "", "", "", "");
    const [part] = await bound("funnel_own", ...all, "product_view", "", "", "", "", "", "", "", "");
    expect(part?.one_in).to.be.above(1);
    expect(Number(part?.reached) / Number(exact?.reached)).to.be.within(0.7, 1.3);
    expect((await bound("paths", ...all, "product_view"))[0]?.one_in).to.equal(part?.one_in);
  });

  it("spreads events over the hours of the week, with how often each hour occurred", async () => {
    await eachChoice(async (choice) => {
      for (const event of ["", "product_view"]) {
        const rows = await panel("activity_week", ...choice, event, "2025-12-03 10:30:00");
        const truth = await raw(
          `SELECT extract(isodow FROM event_timestamp AT TIME ZONE $3)::int AS weekday, extract(hour FROM event_timestamp AT TIME ZONE $3)::int AS hour_of_day,
             count(*)::float8 AS events
           FROM public.clickstream_events WHERE ${IN_RANGE} AND ${LOGIN} AND ($5 = '' OR event_name = $5) GROUP BY 1, 2 ORDER BY 1, 2`,
          ...choice,
          event,
        );
        const counted = rows.filter((row) => row.events !== 0).map(({ days, ...row }) => row);
        expect(rows).to.have.length(7 * 24);
        expect(counted).to.deep.equal(truth);
      }
    });
    const week = await panel(
      "activity_week",
      "2025-12-01",
      "2025-12-07",
      "UTC",
      "",
      "",
      "2025-12-03 10:30:00",
    );
    const days = week.filter((row) => row.days === 1);
    expect(days).to.have.length(2 * 24 + 11); // Monday, Tuesday, and Wednesday until its eleventh hour
  });

  it("counts rejects that still stand, warnings and runs within the loads looked at", async () => {
    const rejects = await panel("quality_rejects", "30", "UTC");
    expect(rejects.map(({ cause, rejects, objects }) => ({ cause, rejects, objects }))).to.deep.equal([
      { cause: "invalid_json", rejects: 9, objects: 3 },
      { cause: "missing_event_name", rejects: 2, objects: 2 },
    ]);
    expect((await panel("quality_rejects", "", "UTC")).map((row) => row.rejects)).to.deep.equal([9, 3]);
    expect(await panel("quality_warnings", "30")).to.deep.equal([
      { column_name: "context_product_price", cause: "wrong_type", warnings: 31 },
      { column_name: "user_id", cause: "cut", warnings: 2 },
    ]);
    expect((await panel("quality_warnings", ""))[1]).to.include({ warnings: 7 });
    const runs = await panel("quality_runs", "", "UTC");
    expect(runs).to.have.length(2);
    expect(runs[0]).to.include({ trigger: "schedule", status: "succeeded", read: 3000, seconds: 60 });
    expect(runs[1]).to.include({ status: "failed", error: "the bucket does not exist" });
    expect(await panel("quality_runs", "30", "UTC")).to.have.length(1);
  });

  it("says when all was swept, how the host is, what differs from the contract, and which rules are raised", async () => {
    const [state] = await panel("quality_state", "UTC");
    expect(state).to.include({
      data_used: 0.75,
      root_used: 0.4,
      memory_used: 0.75,
      connections_used: 0.1,
      checked: 2900,
      failed_units: "<b>backup.service",
    });
    expect(state?.swept_age).to.be.within(5 * 3600 - 1, 6 * 3600);
    expect(state?.backup_age).to.be.within(3 * 3600 - 1, 4 * 3600);
    const drift = [
      { event_name: "product_view", field: "product.price", kind: "type", events: 31 },
      { event_name: "click", field: "element.tag", kind: "missing", events: 7 },
    ];
    expect(await panel("quality_drift", "30")).to.deep.equal(drift);
    expect(await panel("quality_drift", "")).to.deep.equal(drift);
    const rules = await panel("alerts", "UTC");
    expect(rules.map(({ rule, is_raised, value }) => [rule, is_raised, value])).to.deep.equal([
      ["new_event_name", true, 2],
      ["conversion_fell", false, 0.05],
      ["no_events", false, null],
      ["rejects_rose", false, null],
    ]);
    expect((await panel("freshness", "UTC"))[0]).to.include({ alerts: 1 });
  });

  describe("where sessions come from", () => {
    /** The first event of each session with its details, where it has any; of the small shop none is as early as another. */
    const ENTRIES = `
      SELECT DISTINCT ON (session_id) session_id, event_timestamp, d.event_id IS NULL AS unknown, coalesce(device = 'bot', false) AS is_bot,
        device, browser, CASE WHEN referrer_host <> 'shop.vn' THEN referrer_host END AS referrer,
        nullif(concat_ws(' / ', utm_source, utm_medium, utm_campaign), '') AS campaign,
        CASE WHEN page_url LIKE 'https://www.shop.vn/p/%' THEN '/p/' || substring(page_url FROM 23 FOR 1) WHEN page_url IS NOT NULL THEN '/' END AS page,
        max(${STEP}) OVER (PARTITION BY session_id) AS step
      FROM public.clickstream_events LEFT JOIN public.clickstream_event_details d USING (event_id, event_timestamp)
      WHERE session_id IS NOT NULL ORDER BY session_id, event_timestamp`;

    for (const kind of ["referrer", "campaign", "page", "device", "browser"])
      it(`counts sessions by ${kind}, without bots, with them and bots alone`, async () => {
        for (const zone of ZONES)
          for (const [from, to] of RANGES)
            for (const [bots, isWanted] of [
              ["without", "NOT is_bot"],
              ["with", "true"],
              ["only", "is_bot"],
            ] as const) {
              const truth = await raw(
                `SELECT ${kind} AS value, count(*)::float8 AS sessions, (count(*) FILTER (WHERE step >= 3))::float8 AS carts,
                   (count(*) FILTER (WHERE step = 5))::float8 AS checkouts, (count(*) FILTER (WHERE step = 5))::float8 / count(*) AS conversion
                 FROM (${ENTRIES}) AS entries WHERE ${IN_RANGE} AND NOT unknown AND ${isWanted}
                 GROUP BY 1 ORDER BY count(*) DESC, ${kind} COLLATE "C" NULLS LAST`,
                from,
                to,
                zone,
              );
              const rows = await panel("acquisition_top", from, to, zone, kind, bots);
              expect(rows, `${from} ${zone} ${bots}`).to.deep.equal(truth);
              expect(JSON.stringify(rows)).to.not.include("secret");
              if (to === "2025-12-31") expect(rows).to.not.be.empty;
            }
      });

    it("tells sessions of people, of bots and without details apart by day, week and month", async () => {
      for (const zone of ZONES)
        for (const [from, to] of RANGES)
          for (const bucket of ["day", "week", "month"]) {
            const rows = await panel("acquisition_days", from, to, zone, bucket);
            const truth = await raw(
              `SELECT to_char(date_trunc($4, event_timestamp AT TIME ZONE $3), 'YYYY-MM-DD HH24:MI:SS') AS bucket,
                 (count(*) FILTER (WHERE NOT unknown AND NOT is_bot))::float8 AS people, (count(*) FILTER (WHERE is_bot))::float8 AS bots,
                 (count(*) FILTER (WHERE unknown))::float8 AS unknown
               FROM (${ENTRIES}) AS entries WHERE ${IN_RANGE} GROUP BY 1 ORDER BY 1`,
              from,
              to,
              zone,
              bucket,
            );
            const counted = rows.filter((row) => row.people || row.bots || row.unknown);
            expect(counted, `${from} ${zone} ${bucket}`).to.deep.equal(truth);
          }
    });

    it("names the bots of the days up to the newest event, beside all sessions with details", async () => {
      for (const [days, since] of [
        ["", "-infinity"],
        ["7", "2025-12-01Z"],
      ] as const) {
        const truth = await raw(
          `SELECT browser AS value, (count(*) FILTER (WHERE is_bot))::float8 AS sessions,
             (sum(count(*)) OVER ())::float8 AS known
           FROM (${ENTRIES}) AS entries WHERE NOT unknown AND event_timestamp >= $1 GROUP BY 1`,
          since,
        );
        expect(await panel("quality_bots", days, "UTC")).to.deep.equal(
          truth.filter((row) => row.sessions !== 0),
        );
      }
    });
  });

  it("pages the raw events, newest first, each exactly once", async () => {
    for (const choice of [
      ["2025-11-28", "2025-12-04", "Asia/Ho_Chi_Minh", "", ""],
      ["2025-11-01", "2025-12-31", "UTC", "-", "product_view"],
    ] as const) {
      const [{ events }] = (await panel("raw_count", ...choice)) as [Row];
      const seen: unknown[] = [];
      for (let skip = 0; skip < Number(events); skip += 37) {
        const page = await panel("raw_events", ...choice, skip, 37);
        seen.push(...page.map((row) => row.event_id));
      }
      const truth = await raw(
        `SELECT event_id::text FROM public.clickstream_events WHERE ${IN_RANGE} AND ${LOGIN} AND ($5 = '' OR event_name = $5)
         ORDER BY event_timestamp DESC, event_id DESC`,
        ...choice,
      );
      expect(seen).to.deep.equal(truth.map((row) => row.event_id));
      expect(seen).to.have.length(Number(events));
      expect(await panel("raw_events", ...choice, Number(events) + 10, 37)).to.deep.equal([]);
    }
  });
});
