import { expect } from "chai";
import {
  markStale,
  migrate,
  type Queryable,
  rebuildRollups,
  refreshRollups,
  verifyRollups,
  type WarehouseClient,
  type WarehousePool,
} from "etl-lib";
import fc from "fast-check";
import pg from "pg";
import { startPostgres, type TestDatabase } from "../../testing/postgres.js";

const HOUR = 3_600_000;
/** The minutes around the midnights of Asia/Ho_Chi_Minh and UTC are among these three days. */
const ORIGIN = Date.parse("2025-12-05T16:00:00Z");

interface Event {
  readonly event_id: string;
  readonly event_timestamp: string;
  readonly [column: string]: unknown;
}

const orNull = <T>(...values: T[]) => fc.constantFrom(null, ...values);
const anEvent: fc.Arbitrary<Event> = fc
  .record({
    id: fc.integer({ min: 0, max: 60 }), // few, so that the same event comes again, with another content
    minutes: fc.oneof(fc.integer({ min: 0, max: 72 * 60 }), fc.constantFrom(59, 60, 479, 480, 8 * 60)),
    micros: fc.constantFrom("000000", "000001", "999999"),
    event_name: fc.constantFrom(
      "page_view",
      "click",
      "product_view",
      "add_to_cart_click",
      "checkout_start",
      "checkout_complete",
    ),
    user_id: orNull("u1", "u2"),
    user_login_state: orNull("anonymous", "guest", "logged_in", "Việt"),
    client_id: orNull("c1", "c2", "c3"),
    session_id: orNull("s1", "s2", "s3", "s4", ""),
    context_product_id: orNull("p1", "p2"),
    context_product_name: orNull("Laptop", "Điện thoại"),
    context_product_category: orNull("Laptop", ""),
    context_product_brand: orNull("Acer", "LG"),
    context_product_price: orNull(1, 2.5),
    device: fc.constantFrom("none", "", "bot", "mobile", "watch"), // `none`: its details are not kept
    browser: orNull("Chrome", "Googlebot"),
    page_url: orNull("https://www.shop.vn/a?token=1", "https://shop.vn", "/b#c"),
    referrer_host: orNull("shop.vn", "google.com"),
    utm_source: orNull("fb", ""),
    utm_campaign: orNull("Tết"),
  })
  .map(({ id, minutes, micros, ...columns }) => ({
    event_id: `00000000-0000-4000-8000-${String(id).padStart(12, "0")}`,
    event_timestamp: new Date(ORIGIN + minutes * 60_000).toISOString().replace("000Z", `${micros}Z`),
    ...columns,
  }));

type Step =
  | { readonly kind: "load"; readonly events: Event[]; readonly ends: "COMMIT" | "ROLLBACK" | "later" }
  | { readonly kind: "settle"; readonly by: "COMMIT" | "ROLLBACK" }
  | { readonly kind: "refresh" | "rebuild" }
  | { readonly kind: "killed refresh"; readonly afterQueries: number }
  | { readonly kind: "at once"; readonly events: Event[]; readonly refreshes: number }
  | { readonly kind: "add zone" };

const someEvents = fc.array(anEvent, { minLength: 1, maxLength: 12 });
const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: load("COMMIT") },
  { weight: 2, arbitrary: load("later") },
  { weight: 1, arbitrary: load("ROLLBACK") },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      by: fc.constantFrom("COMMIT" as const, "ROLLBACK" as const),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: "refresh" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "rebuild" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("killed refresh" as const),
      afterQueries: fc.integer({ min: 1, max: 25 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("at once" as const),
      events: someEvents,
      refreshes: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "add zone" as const }) },
);

function load(ends: "COMMIT" | "ROLLBACK" | "later") {
  return fc.record({ kind: fc.constant("load" as const), events: someEvents, ends: fc.constant(ends) });
}

describe("rollups, whatever happens", () => {
  let database: TestDatabase;
  let writer: pg.Pool;

  before(async () => {
    // As PostgreSQL's Docker image sorts text, unlike this project's own servers: no rollup may depend on it.
    const english = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'";
    database = await (await startPostgres()).createDatabase(english);
    await migrate(database.pool);
    writer = new pg.Pool({ ...database.config, options: "-c role=etl_writer", max: 8 });
    writer.on("connect", (client) => client.on("error", () => {})); // one that was killed
    writer.on("error", () => {});
  });
  after(async () => {
    await writer?.end();
    await database?.drop();
  });

  it("are what raw SQL says once refreshed, and never wrong where nothing is marked", () =>
    fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 14 }), async (steps) => {
        await reset(database);
        const warehouse = new Warehouse(database, writer);
        for (const step of steps) {
          await warehouse.take(step);
          const { staleHours, differences } = await verifyRollups(writer);
          if (staleHours === 0 && !warehouse.hasNewZone) expect(differences).to.deep.equal([]);
        }
        await warehouse.settle("COMMIT");
        await refreshRollups(writer);
        expect(await verifyRollups(writer)).to.deep.equal({ staleHours: 0, differences: [] });
      }),
      { numRuns: Number(process.env.FC_NUM_RUNS ?? 25), endOnFailure: true },
    ));
});

/** The warehouse as several runs, their crashes and an administrator treat it. */
class Warehouse {
  readonly #open: pg.PoolClient[] = [];
  hasNewZone = false;

  constructor(
    private readonly database: TestDatabase,
    private readonly writer: pg.Pool,
  ) {}

  async take(step: Step): Promise<void> {
    if (step.kind === "load") await this.#load(step.events, step.ends);
    else if (step.kind === "settle") await this.settle(step.by);
    else if (step.kind === "refresh") await refreshRollups(this.writer);
    else if (step.kind === "rebuild") await rebuildRollups(this.writer);
    else if (step.kind === "killed refresh") await this.#killRefresh(step.afterQueries);
    else if (step.kind === "at once") await this.#atOnce(step);
    else
      await this.database.pool.query(
        "INSERT INTO dw.zones VALUES ('America/Sao_Paulo') ON CONFLICT DO NOTHING",
      );
    this.hasNewZone = step.kind === "add zone" || (this.hasNewZone && !/^re/.test(step.kind));
  }

  async settle(by: "COMMIT" | "ROLLBACK"): Promise<void> {
    for (const client of this.#open.splice(0)) {
      await client.query(by);
      client.release();
    }
  }

  /** As a batch does: rows and marks in one transaction. One that stays open holds no event another could want. */
  async #load(events: readonly Event[], ends: "COMMIT" | "ROLLBACK" | "later"): Promise<void> {
    const client = await this.writer.connect();
    const renamed =
      ends === "later" ? events.map((event) => ({ ...event, event_id: crypto.randomUUID() })) : events;
    await client.query("BEGIN");
    await insert(client, renamed);
    if (ends === "later" && this.#open.length < 3) {
      this.#open.push(client);
      return;
    }
    await client.query(ends === "ROLLBACK" ? "ROLLBACK" : "COMMIT");
    client.release();
  }

  async #killRefresh(afterQueries: number): Promise<void> {
    await refreshRollups(killedAfter(this.writer, this.database, afterQueries)).catch(() => undefined);
  }

  async #atOnce({ events, refreshes }: { events: Event[]; refreshes: number }): Promise<void> {
    const half = Math.ceil(events.length / 2);
    await Promise.all([
      this.#load(events.slice(0, half), "COMMIT"),
      ...Array.from({ length: refreshes }, () => refreshRollups(this.writer)),
    ]);
    await Promise.all([this.#load(events.slice(half), "COMMIT"), refreshRollups(this.writer)]);
  }
}

async function insert(db: Queryable, events: readonly Event[]): Promise<void> {
  await db.query(
    `INSERT INTO public.clickstream_events
     SELECT DISTINCT ON (event_id) * FROM json_populate_recordset(NULL::public.clickstream_events, $1)
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(events)],
  );
  await db.query(
    `INSERT INTO public.clickstream_event_details
     SELECT DISTINCT ON (event_id) d.* FROM json_populate_recordset(NULL::public.clickstream_event_details, $1) d
     JOIN public.clickstream_events USING (event_id, event_timestamp)
     WHERE d.device <> 'none' AND event_id NOT IN (SELECT event_id FROM public.clickstream_event_details)`,
    [JSON.stringify(events)],
  );
  await markStale(
    db,
    new Set(events.map((event) => Math.floor(Date.parse(event.event_timestamp) / HOUR) * HOUR)),
  );
}

/** A pool whose connection the server ends after so many queries. */
function killedAfter(pool: pg.Pool, database: TestDatabase, queries: number): WarehousePool {
  const connect = async (): Promise<WarehouseClient> => {
    const client = await pool.connect();
    let left = queries;
    return {
      release: (broken) => client.release(broken),
      query: async <Row>(text: string, values?: unknown[]) => {
        if (--left === 0) {
          const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
          await database.pool.query("SELECT pg_terminate_backend($1, 5000)", [rows[0].pid]);
        }
        return (client as WarehouseClient).query<Row>(text, values);
      },
    };
  };
  return { connect, query: pool.query.bind(pool) };
}

async function reset(database: TestDatabase): Promise<void> {
  await database.pool.query(
    `TRUNCATE public.clickstream_events, public.clickstream_event_details, dw.stale_hours, dw.hourly_events, dw.visits, dw.days, dw.sessions, dw.products,
       dw.product_days, dw.funnel_days, dw.entry_days, dw.clients, dw.day_clients;
     DELETE FROM dw.entry_labels WHERE NOT is_known;
     DELETE FROM dw.zones WHERE zone NOT IN ('Asia/Ho_Chi_Minh', 'UTC');
     DELETE FROM dw.labels WHERE NOT is_known;
     DELETE FROM dw.event_numbers WHERE event_name NOT IN (SELECT label FROM dw.labels); DELETE FROM dw.product_groups WHERE NOT is_known;
     UPDATE dw.zones SET built_at = NULL, built_through = NULL;
     -- so that sets reach over the end of a chunk
     UPDATE dw.state SET newest_event_at = NULL, is_rebuilding = false, next_client = 4094`,
  );
}
