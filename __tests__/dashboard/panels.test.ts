import { readdir, readFile } from "node:fs/promises";
import { expect } from "chai";
import pg from "pg";
import type { TestDatabase } from "../helpers/postgres.js";
import { smallShop } from "./support/warehouse.js";

type Row = Record<string, unknown>;

const SQL = new URL("../../dashboard/app/sql/", import.meta.url);
const ZONES = ["Asia/Ho_Chi_Minh", "UTC"];
const RANGES = [
  ["2025-11-28", "2025-12-04"],
  ["2025-12-07", "2025-12-07"],
  ["2025-11-01", "2025-12-31"],
] as const;
const LOGINS = ["", "-", "anonymous", "logged_in"];

/** The raw rows of a choice: the range in local days and, as the app's statements have it, the login state. */
const IN_RANGE = `event_timestamp >= $1::date::timestamp AT TIME ZONE $3
  AND event_timestamp < ($2::date + 1)::timestamp AT TIME ZONE $3`;
const LOGIN = "($4 = '' OR user_login_state = $4 OR ($4 = '-' AND user_login_state IS NULL))";

describe("the SQL of the dashboard's panels", function () {
  this.timeout(60_000);
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
    expect(quality?.overdue).to.be.closeTo(2 * 3600, 60);
    expect(quality?.newest_load_age).to.be.closeTo(179 * 60, 60);
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
      const [row] = await panel("overview_totals", from, to, zone, login, "2099-01-01 00:00:00");
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
           (SELECT count(*)::float8 FROM begun WHERE before AND converted) AS converted_before
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
        const [row] = await panel("overview_totals", "2025-12-01", "2025-12-07", "UTC", login, covered);
        const ofLogin = LOGIN.replaceAll("$4", "$1");
        const [events] = await raw(
          `SELECT count(*)::float8 AS events, count(DISTINCT client_id)::float8 AS visitors
           FROM public.clickstream_events WHERE ${before} AND ${ofLogin}`,
          login,
        );
        expect(row?.events_before, login).to.equal(events?.events);
        expect(row?.visitors_before, login).to.equal(events?.visitors);
        const [sessions] = await raw(
          `SELECT count(*)::float8 AS n, (count(*) FILTER (WHERE step = 5))::float8 AS converted
           FROM (${SESSIONS}) AS sessions WHERE ${before} AND ${ofLogin}`,
          login,
        );
        expect(row?.sessions_before, login).to.equal(sessions?.n);
        expect(row?.converted_before, login).to.equal(sessions?.converted);
      }
    });

  it("counts events over time, by every bucket, without a gap", async () => {
    for (const bucket of ["hour", "day", "week", "month"])
      await eachChoice(async ([from, to, zone, login]) => {
        const rows = await panel("overview_over_time", from, to, zone, login, bucket);
        const truth = await raw(
          `SELECT to_char(date_trunc($5, event_timestamp AT TIME ZONE $3), 'YYYY-MM-DD HH24:MI:SS') AS bucket, count(*)::float8 AS events
           FROM public.clickstream_events WHERE ${IN_RANGE} AND ${LOGIN} GROUP BY 1 ORDER BY 1`,
          from,
          to,
          zone,
          login,
          bucket,
        );
        const counted = rows
          .filter((row) => row.events !== 0)
          .map(({ bucket, events }) => ({ bucket, events }));
        expect(counted).to.deep.equal(truth);
        for (const [i, row] of rows.entries())
          if (i > 0) expect(row.bucket).to.equal(rows[i - 1]?.bucket_end);
      });
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
          const rows = await panel("products_top", from, to, zone, category, brand, search, "views");
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

  it("orders products by conversion among those that are viewed enough", async () => {
    const rows = await panel("products_top", "2025-11-01", "2025-12-31", "UTC", "", "", "", "conversion");
    const rates = rows.map((row) => Number(row.carts) / Number(row.views));
    expect(rates).to.deep.equal([...rates].sort((a, b) => b - a));
    const most = Math.max(...rows.map((row) => Number(row.views)));
    for (const row of rows) expect(Number(row.views) * 20).to.be.at.least(most);
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
    for (const [dimension, column] of [
      ["category", "context_product_category"],
      ["brand", "context_product_brand"],
    ] as const) {
      // a session's checkout belongs to what it has put in its cart
      const truth = await raw(
        `WITH sessions AS (${SESSIONS}), parts AS (
           SELECT session_id, ${column} AS value, max(${STEP}) AS own FROM public.clickstream_events
           WHERE session_id IS NOT NULL AND context_product_id IS NOT NULL GROUP BY session_id, ${column}
         ), reached AS (SELECT value, CASE WHEN own >= 3 AND sessions.step > own THEN sessions.step ELSE own END AS step
           FROM parts JOIN sessions USING (session_id))
         SELECT value, count(*)::float8 AS sessions, ${REACHED} FROM reached GROUP BY value`,
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
