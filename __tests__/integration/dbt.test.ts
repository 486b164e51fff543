import { expect } from "chai";
import type pg from "pg";
import {
  compileFreshness,
  compileModel,
  compileTests,
  failures,
  modelFiles,
  models,
  relationOf,
  sources,
} from "../../testing/dbt.js";
import { event, hourKey, ndjson } from "../../testing/lab/events.js";
import { type Lab, openLab, openPool } from "../../testing/lab/lab.js";

/** What analysts and their tools were promised: a new column may be added at the end, none goes. */
const VIEWS = {
  days: "day events clients users sessions",
  event_details:
    "event_id event_timestamp page_url referrer referrer_host utm_source utm_medium utm_campaign device browser os is_bot extras",
  events:
    "event_id event_timestamp event_name user_id user_login_state identity_source client_id session_id is_first_visit context_product_id context_product_name context_product_category context_product_brand context_product_price context_product_discount_price context_product_url_path",
  funnel_days:
    "day dimension value user_login_state sessions views product_views carts checkout_starts checkouts",
  hourly_events: "hour event_name user_login_state events order_value priced_orders",
  product_days: "day product_id views carts checkout_starts checkouts lowest_price highest_price",
  products: "product_id name category brand price discount_price url_path seen_at",
  sessions: "session_id first_event_at last_event_at user_login_state furthest_step furthest_step_name",
};

const HOUR = 3_600_000;
const NAMES = ["page_view", "product_view", "add_to_cart_click", "checkout_start", "checkout_complete"];

/** Ten sessions of the last two days, each an hour after the other, each a step further than the one before. */
function visits(): object[] {
  return Array.from({ length: 10 }, (_, session) =>
    NAMES.slice(0, (session % NAMES.length) + 1).map((eventName, step) =>
      event(session * 10 + step, {
        eventName,
        clientId: `client-${session % 4}`,
        sessionId: `session-${session}`,
        product: {
          id: `sku-${session % 3}`,
          name: "Tai nghe",
          category: "audio",
          brand: "Sony",
          price: 1000,
        },
        pageUrl:
          session % 2 ? "https://shop.example/?utm_source=zalo&utm_medium=chat" : "https://shop.example/",
        _ingest: { receivedAt: new Date(Date.now() - (session * 4 + 1) * HOUR + step).toISOString() },
      }),
    ),
  ).flat();
}

describe("integration: what analysts have, and dbt's project on it", function () {
  this.timeout(60_000);
  let lab: Lab;
  let analyst: pg.Pool;
  before(async () => {
    lab = await openLab();
    lab.s3.put(hourKey("visits.json"), ndjson(visits()));
    await lab.run();
    analyst = openPool(lab.db.config, { options: "-c role=analyst -c default_transaction_read_only=on" });
  });
  after(async () => {
    await analyst.end();
    await lab.close();
  });

  it("the views have the names and columns that were promised", async () => {
    const { rows } = await analyst.query(
      `SELECT table_name, string_agg(column_name, ' ' ORDER BY ordinal_position) AS columns
       FROM information_schema.columns WHERE table_schema = 'analytics' GROUP BY 1`,
    );
    const views = Object.fromEntries(rows.map(({ table_name, columns }) => [table_name, columns]));
    expect(views).to.deep.equal(VIEWS);
  });

  it("the role reads every table and view of dw and analytics, and nothing of etl", async () => {
    const { rows } = await lab.db.pool.query(
      `SELECT relnamespace::regnamespace::text AS schema, oid::regclass::text AS name,
         has_any_column_privilege('analyst', oid, 'SELECT') AS reads,
         has_any_column_privilege('analyst', oid, 'INSERT, UPDATE') OR has_table_privilege('analyst', oid, 'DELETE, TRUNCATE') AS writes
       FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p') AND relnamespace::regnamespace::text IN ('public', 'dw', 'analytics', 'etl')`,
    );
    expect(rows.filter(({ writes }) => writes)).to.deep.equal([]);
    const wrong = rows.filter(({ schema, reads }) => reads === (schema === "etl"));
    expect(wrong).to.deep.equal([]);
    expect(rows).to.have.length.at.least(40);
  });

  it("sources.yml names each view, and columns that there are", () => {
    const described = sources.find(({ name }) => name === "analytics")?.tables ?? [];
    expect(described.map(({ name }) => name).sort()).to.deep.equal(Object.keys(VIEWS));
    for (const { name, description, columns = [] } of described) {
      expect(description, name).to.be.a("string");
      const there = VIEWS[name as keyof typeof VIEWS].split(" ");
      expect(there).to.include.members(columns.map((column) => column.name));
    }
  });

  it("models.yml describes every model", () =>
    expect(models.map(({ name }) => name).sort()).to.deep.equal([...modelFiles].sort()));

  for (const model of models)
    it(`the model ${model.name} gives the columns that are documented, and its tests hold`, async () => {
      const sql = compileModel(model.name);
      const { fields, rows } = await analyst.query(sql);
      expect(rows).to.have.length.at.least(1);
      expect(fields.map(({ name }) => name)).to.deep.equal(model.columns?.map(({ name }) => name));
      for (const { name, description } of model.columns ?? []) expect(description, name).to.be.a("string");
      for (const test of compileTests(model, `(${sql}) model`))
        expect((await analyst.query(test.sql)).rows, test.name).to.deep.equal([{ failures: 0 }]);
    });

  it("every test of the sources holds, and finds what is wrong where something is", async () => {
    const tests = sources.flatMap((source) =>
      source.tables.flatMap((table) => compileTests(table, relationOf(source.name, table.name))),
    );
    expect(tests).to.have.length.at.least(15);
    for (const { name, sql } of tests)
      expect((await analyst.query(sql)).rows, name).to.deep.equal([{ failures: 0 }]);
    const wrong = [
      failures("unique", "event_name", "analytics.events"),
      failures("not_null", "user_id", "analytics.events"),
      failures("accepted_values", "dimension", "analytics.funnel_days", ["all"]),
    ];
    for (const sql of wrong) expect((await analyst.query(sql)).rows[0].failures).to.be.at.least(1);
  });

  it("the freshness of the events is that of the newest", async () => {
    const events = sources[0]?.tables.find(({ name }) => name === "events");
    const { rows } = await analyst.query(compileFreshness(events as never, "analytics.events"));
    expect(rows).to.deep.equal([
      await lab.row("SELECT max(event_timestamp) AS max_loaded_at FROM public.clickstream_events"),
    ]);
  });

  it("the numbers are those of the events", async () => {
    const { rows: days } = await analyst.query(
      `SELECT sum(events)::int AS events, sum(begun_sessions)::int AS sessions, sum(converted_sessions)::int AS converted,
         sum(orders)::int AS orders, sum(order_value)::int AS value FROM (${compileModel("daily_overview")}) m`,
    );
    expect(days).to.deep.equal([{ events: 30, sessions: 10, converted: 2, orders: 2, value: 2000 }]);
    const { rows: traffic } = await analyst.query(
      `SELECT source, medium, sum(events)::int AS events FROM (${compileModel("traffic_by_day")}) m GROUP BY 1, 2 ORDER BY 1`,
    );
    const zalo = visits().filter((one) => JSON.stringify(one).includes("zalo")).length;
    expect(traffic).to.deep.equal([
      { source: "direct", medium: "none", events: 30 - zalo },
      { source: "zalo", medium: "chat", events: zalo },
    ]);
    const { rows: products } = await analyst.query(
      `SELECT sum(views)::int AS views, sum(carts)::int AS carts, min(name) AS name FROM (${compileModel("product_performance")}) m`,
    );
    expect(products).to.deep.equal([{ views: 8, carts: 6, name: "Tai nghe" }]);
  });
});
