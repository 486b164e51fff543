import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import {
  directorySource,
  markStale,
  migrate,
  type RunOptions,
  readMigrations,
  rebuildRollups,
  refreshRollups,
  runEtl,
  type Source,
  type SourceObject,
  verifyRollups,
  type WarehouseClient,
  type WarehousePool,
} from "etl-lib";
import pg from "pg";
import { MemorySource } from "../../testing/etl-lib/memory-source.js";
import { pausedBefore } from "../../testing/lab/pools.js";
import { newPostgres, startPostgres, type TestDatabase, type TestPostgres } from "../../testing/postgres.js";

const HOUR = 3_600_000;
const START = Date.parse("2025-12-01T00:00:00Z");
const RIGHT = { staleHours: 0, differences: [] };

type Columns = { readonly [column: string]: unknown };

describe("rollups", () => {
  let database: TestDatabase;
  let writer: pg.Pool;

  beforeEach(async () => {
    database = await (await startPostgres()).createWarehouse();
    writer = poolAs(database, "etl_writer");
  });
  afterEach(async () => {
    await writer.end();
    await database.drop();
  });

  const rows = async (sql: string): Promise<unknown[]> =>
    (await database.pool.query({ text: sql, rowMode: "array" })).rows;

  describe("what they count", () => {
    it("tells days in each zone, and counts who gave an id once a day", async () => {
      await load(writer, [
        { event_timestamp: "2025-12-05T16:59:59.999Z", client_id: "c1", session_id: "s1", user_id: "u1" },
        { event_timestamp: "2025-12-05T17:00:00Z", client_id: "c1", session_id: "s1" },
        { event_timestamp: "2025-12-05T17:30:00Z", client_id: "c2", session_id: "s2" },
        { event_timestamp: "2025-12-05T18:30:00Z", client_id: "c2", session_id: "s2" },
        { event_timestamp: "2025-12-06T16:00:00Z", client_id: null, session_id: null },
      ]);
      await refreshRollups(writer);
      expect(
        await rows(
          "SELECT zone, day::text, events::int, clients::int, users::int, sessions::int FROM dw.days ORDER BY 1, 2",
        ),
      ).to.deep.equal([
        ["Asia/Ho_Chi_Minh", "2025-12-05", 1, 1, 1, 1],
        ["Asia/Ho_Chi_Minh", "2025-12-06", 4, 2, 0, 2],
        ["UTC", "2025-12-05", 4, 2, 1, 2],
        ["UTC", "2025-12-06", 1, 0, 0, 0],
      ]);
    });

    it("gives a session to the day of its first event, also when that event comes late", async () => {
      const session = { session_id: "s1", user_login_state: "anonymous" };
      await load(writer, [
        { ...session, event_timestamp: "2025-12-06T20:00:00Z", event_name: "product_view" },
      ]);
      await refreshRollups(writer);
      await load(writer, [
        { ...session, event_timestamp: "2025-12-08T01:00:00Z", event_name: "checkout_complete" },
        {
          ...session,
          event_timestamp: "2025-12-04T01:00:00Z",
          event_name: "click",
          user_login_state: "logged_in",
        },
      ]);
      await refreshRollups(writer);
      expect(
        await rows(
          "SELECT day::text, user_login_state, sessions::int, checkouts::int FROM dw.funnel_days WHERE zone = 'UTC'",
        ),
      ).to.deep.equal([["2025-12-04", "logged_in", 1, 1]]);
      expect(
        await rows("SELECT first_event_at, last_event_at, furthest_step FROM dw.sessions"),
      ).to.deep.equal([[new Date("2025-12-04T01:00:00Z"), new Date("2025-12-08T01:00:00Z"), 5]]);
    });

    it("counts a checkout without a product for what the session put in its cart, not for what it looked at", async () => {
      const session = { session_id: "s1", event_timestamp: "2025-12-06T03:00:00Z" };
      await load(writer, [
        { ...session, event_name: "home_view" },
        {
          ...session,
          event_name: "product_view",
          context_product_id: "a",
          context_product_category: "Laptop",
        },
        {
          ...session,
          event_name: "add_to_cart_click",
          context_product_id: "a",
          context_product_category: "Laptop",
        },
        {
          ...session,
          event_name: "product_view",
          context_product_id: "b",
          context_product_category: "Phone",
        },
        { ...session, event_name: "checkout_start" },
        { ...session, event_name: "product_view", session_id: "s2", context_product_id: "c" },
      ]);
      await refreshRollups(writer);
      expect(
        await rows(`SELECT dimension, value, sessions::int, views::int, product_views::int, carts::int,
          checkout_starts::int, checkouts::int FROM dw.funnel_days WHERE zone = 'UTC' AND dimension <> 'brand'
          ORDER BY 1, 2 NULLS LAST`),
      ).to.deep.equal([
        ["all", null, 2, 2, 2, 1, 1, 0],
        ["category", "Laptop", 1, 1, 1, 1, 1, 0],
        ["category", "Phone", 1, 1, 1, 0, 0, 0],
        ["category", null, 1, 1, 1, 0, 0, 0],
      ]);
    });

    it("describes a product as its newest event does, whichever was loaded first", async () => {
      const product = { context_product_id: "p", event_name: "product_view" };
      await load(writer, [
        { ...product, event_timestamp: "2025-12-06T03:00:00Z", context_product_name: "new" },
      ]);
      await refreshRollups(writer);
      await load(writer, [
        { ...product, event_timestamp: "2025-12-01T03:00:00Z", context_product_name: "old" },
      ]);
      await refreshRollups(writer);
      expect(await rows("SELECT name FROM dw.products")).to.deep.equal([["new"]]);
      expect(await rows("SELECT sum(views)::int FROM dw.product_days WHERE zone = 'UTC'")).to.deep.equal([
        [2],
      ]);
    });

    it("takes text of any length and script", async () => {
      const hostile = () => randomBytes(3072).toString("base64").slice(0, 4000);
      const columns = [
        "event_name",
        "user_id",
        "user_login_state",
        "client_id",
        "session_id",
        "context_product_id",
      ];
      const products = ["context_product_name", "context_product_category", "context_product_brand"];
      const event = () => Object.fromEntries([...columns, ...products].map((column) => [column, hostile()]));
      const events = [
        event(),
        event(),
        { session_id: "", context_product_category: "", context_product_brand: "Điện" },
      ];
      for (let time = 0; time < 2; time++) {
        await load(writer, events);
        await refreshRollups(writer);
        expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
      }
    });
  });

  describe("who may do what", () => {
    it("lets the reader read and verify all of it, and change nothing", async () => {
      await load(writer, [{ session_id: "s1" }]);
      await refreshRollups(writer);
      const reader = poolAs(database, "dashboard_reader");
      expect(await verifyRollups(reader)).to.deep.equal(RIGHT);
      const refused = await refreshRollups(reader).catch((error: Error) => error);
      expect(String(refused)).to.match(/permission denied/);
      await reader.end();
    });

    it("refuses a zone whose days cannot be made of UTC hours", async () => {
      const add = (zone: string) =>
        database.pool.query("INSERT INTO dw.zones VALUES ($1)", [zone]).catch(String);
      expect(await add("Asia/Kolkata")).to.match(/zones_whole_hours/);
      expect(await add("Asia/Nowhere")).to.match(/not recognized/);
    });

    it("refuses a zone in which a day begins twice, and takes one that only skips an hour", async () => {
      const add = (zone: string) =>
        database.pool.query("INSERT INTO dw.zones VALUES ($1)", [zone]).then(() => "taken", String);
      for (const zone of ["America/Havana", "Atlantic/Azores"])
        expect(await add(zone)).to.match(/zones_days_begin_once/);
      for (const zone of ["America/New_York", "Europe/Berlin", "Asia/Beirut", "Africa/Cairo"])
        expect(await add(zone), zone).to.equal("taken");
    });

    it("fills the days of a new zone at the next refresh", async () => {
      await load(writer, [
        { session_id: "s1", context_product_id: "p", event_timestamp: "2025-12-06T03:00:00Z" },
      ]);
      await refreshRollups(writer);
      await database.pool.query("INSERT INTO dw.zones VALUES ('America/New_York')");
      await refreshRollups(writer);
      for (const table of ["days", "funnel_days", "product_days"])
        expect(
          await rows(`SELECT DISTINCT day::text FROM dw.${table} WHERE zone = 'America/New_York'`),
        ).to.deep.equal([["2025-12-05"]]);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });
  });

  describe("crashes and runs at once", () => {
    it("keeps a mark that is committed while a refresh runs, for the next one", async () => {
      await load(writer, [{ session_id: "s1" }]);
      const late = { session_id: "s2", client_id: "c2" };
      const paused = pausedBefore(writer, "DELETE FROM dw.hourly_events", () => load(writer, [late]));
      await refreshRollups(paused);
      expect((await verifyRollups(writer)).staleHours).to.equal(1);
      expect(await rows("SELECT session_id FROM dw.sessions")).to.deep.equal([["s1"]]);
      await refreshRollups(writer);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });

    it("lets a second refresh wait for the first and find nothing left", async () => {
      await load(writer, [{ session_id: "s1" }]);
      let second: Promise<unknown> | undefined;
      const first = await refreshRollups(
        pausedBefore(writer, "DELETE FROM dw.hourly_events", async () => {
          second = refreshRollups(writer);
        }),
      );
      expect(first.hours).to.equal(1);
      expect(await second).to.include({ hours: 0, days: 0 });
      expect(await rows("SELECT version::int FROM dw.state")).to.deep.equal([[1]]);
    });

    it("leaves rollups and marks as they were when the server dies in the middle of a refresh", async () => {
      const postgres: TestPostgres = await newPostgres({ durable: true });
      const own = await postgres.createWarehouse();
      const pool = poolAs(own, "etl_writer");
      await load(pool, [{ session_id: "s1", context_product_id: "p" }]);
      await refreshRollups(pool);
      await load(pool, [{ session_id: "s2", context_product_id: "p" }]);
      const died = await refreshRollups(pausedBefore(pool, "COMMIT", () => postgres.kill9())).catch(
        (e: Error) => e,
      );
      expect(died).to.be.instanceOf(Error);
      await postgres.start();
      expect((await own.pool.query("SELECT session_id FROM dw.sessions")).rows).to.deep.equal([
        { session_id: "s1" },
      ]);
      await refreshRollups(pool);
      expect(await verifyRollups(pool)).to.deep.equal(RIGHT);
      await pool.end();
      await own.pool.end();
    });

    it("takes a long backfill week by week, and goes on after a crash where it was", async () => {
      const start = Date.parse("2025-10-01T03:00:00Z");
      await load(
        writer,
        Array.from({ length: 400 }, (_, hour) => ({
          session_id: `s${hour >> 1}`,
          event_timestamp: new Date(start + hour * HOUR).toISOString(),
        })),
      );
      let connections = 0;
      const crashing: WarehousePool = {
        query: writer.query.bind(writer),
        connect: async () => (++connections < 3 ? writer.connect() : Promise.reject(new Error("gone"))),
      };
      expect(String(await refreshRollups(crashing).catch((error: Error) => error))).to.match(/gone/);
      expect((await verifyRollups(writer)).staleHours).to.equal(400 - 2 * 168);
      expect((await refreshRollups(writer)).hours).to.equal(400 - 2 * 168);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });

    it("does nothing when nothing is marked", async () => {
      expect(await refreshRollups(writer)).to.include({ hours: 0 });
      const before = await rows("SELECT version, refreshed_at FROM dw.state");
      await refreshRollups(writer);
      expect(await rows("SELECT version, refreshed_at FROM dw.state")).to.deep.equal(before);
    });
  });

  describe("verify and rebuild", () => {
    const DAMAGE: { readonly [rollup: string]: string } = {
      hourly_events: "UPDATE dw.hourly_events SET events = events + 1",
      visits: "UPDATE dw.visits SET events = events + 1",
      "visits.steps": "UPDATE dw.visits SET steps = steps || 512",
      days: "UPDATE dw.days SET clients = clients - 1 WHERE zone = 'UTC'",
      day_clients:
        "UPDATE dw.day_clients SET clients = clients | dw.bit_of(4095) WHERE user_login_state IS NULL",
      sessions: "UPDATE dw.sessions SET furthest_step = 5",
      "sessions.product_steps": "UPDATE dw.sessions SET product_steps = '{}'",
      products: "UPDATE dw.products SET name = 'other'",
      product_days: "INSERT INTO dw.product_days SELECT * FROM dw.product_days",
      funnel_days: "DELETE FROM dw.funnel_days WHERE dimension = 'brand'",
      state: "UPDATE dw.state SET newest_event_at = NULL",
    };

    for (const [rollup, damage] of Object.entries(DAMAGE))
      it(`finds and heals ${rollup} that were tampered with`, async () => {
        await load(writer, [
          { session_id: "s1", client_id: "c1", context_product_id: "p", context_product_name: "Laptop" },
        ]);
        await refreshRollups(writer);
        await database.pool.query(damage);
        const { differences } = await verifyRollups(writer);
        expect(differences.map((difference) => difference.rollup)).to.deep.equal([rollup]);
        expect(differences[0]?.examples[0]?.row).to.be.an("object");
        await rebuildRollups(writer);
        expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
      });

    it("rebuilds to nothing when the table was emptied", async () => {
      await load(writer, [{ session_id: "s1", context_product_id: "p" }]);
      await refreshRollups(writer);
      await database.pool.query("TRUNCATE public.clickstream_events");
      await rebuildRollups(writer);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
      expect(await rows("SELECT count(*)::int FROM dw.sessions")).to.deep.equal([[0]]);
    });
  });

  describe("refreshed while a run loads", () => {
    const run = (source: Source, pool: WarehousePool, more: Partial<RunOptions> = {}) =>
      runEtl({ source, pool, window: null, trigger: "local", ...more });

    it("are so before its end, and right after it", async () => {
      const refreshes = async () => (await rows("SELECT version::int FROM dw.state")).flat();
      const source = new LongLoad(async () => (await refreshes())[0] === 1);
      expect((await run(source, writer)).status).to.equal("succeeded");
      expect(await refreshes()).to.deep.equal([2]);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });

    it("take turns with the load in a pool of one connection", async () => {
      const pool = poolAs(database, "etl_writer", 1);
      expect((await run(new LongLoad(async () => true), pool)).status).to.equal("succeeded");
      expect(await verifyRollups(pool)).to.deep.equal(RIGHT);
      await pool.end();
    });

    it("leave the run a success, and all to its end, when that fails", async () => {
      const pool = refreshingPool(writer, 1);
      const { status, error } = await run(new LongLoad(async () => pool.refreshes === 1), pool);
      expect([status, error, pool.refreshes]).to.deep.equal(["succeeded", null, 2]);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });

    it("are left alone by a dry run, and to the end when the time is up", async () => {
      const pool = refreshingPool(writer, 0);
      const source = new LongLoad(async () => true);
      expect((await run(source, pool, { dryRun: true })).objects).to.include({ loaded: 2 });
      expect(pool.refreshes).to.equal(0);
      let now = 0;
      const clock = () => now;
      const onProgress: RunOptions["onProgress"] = ({ objects }) => {
        now = objects.loaded; // a millisecond passes when an object is loaded
      };
      expect((await run(source, pool, { clock, onProgress, timeBudgetMs: 1 })).objects).to.include({
        loaded: 1,
      });
      expect(pool.refreshes).to.equal(1);
    });
  });

  it("keep their visitors when they were made before visitors had numbers", async () => {
    const own = await (await startPostgres()).createDatabase();
    const migrations = readMigrations();
    await migrate(
      own.pool,
      migrations.filter(({ version }) => version < 6),
    );
    const clicks = [
      { client_id: "c1", user_login_state: "guest", event_timestamp: "2025-12-05T18:00:00Z" },
      { client_id: "c2", event_timestamp: "2025-12-06T03:00:00Z" },
      { client_id: null, event_timestamp: "2025-12-06T03:00:00Z" },
    ];
    await load(
      own.pool,
      clicks.map((click) => ({ ...click, event_name: "click" })),
    );
    await own.pool.query(`UPDATE dw.zones SET built_at = now(); INSERT INTO dw.visits
      SELECT date_trunc('hour', event_timestamp), client_id, user_id, session_id, user_login_state, count(*),
        min(event_timestamp), max(event_timestamp), 0, 0 FROM public.clickstream_events GROUP BY 1, 2, 3, 4, 5`);
    await migrate(own.pool, migrations);
    const { differences } = await verifyRollups(own.pool);
    expect(differences.map(({ rollup }) => rollup)).to.not.include.oneOf(["visits", "day_clients"]);
    await own.drop();
  });

  it("are right after a run, and after a run that finds nothing but what a killed one left", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rollups-"));
    mkdirSync(join(folder, "events/2025/12/06"), { recursive: true });
    const event = { eventName: "product_view", sessionId: "s1", product: { id: "p" } };
    writeFileSync(join(folder, "events/2025/12/06/a.json"), JSON.stringify([event, event, 7]));
    const run = async () =>
      runEtl({ source: await directorySource(folder), pool: writer, window: null, trigger: "local" });
    expect((await run()).status).to.equal("succeeded");
    expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    expect(await rows("SELECT timings ? 'rollupsMs' FROM etl.runs")).to.deep.equal([[true]]);
    expect(await rows("SELECT version::int FROM dw.state")).to.deep.equal([[1]]);

    await load(writer, [{ session_id: "s9" }]); // committed, and then its run was killed
    expect((await run()).status).to.equal("skipped");
    expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    rmSync(folder, { recursive: true });
  });
});

function poolAs({ config }: TestDatabase, role: string, max = 6): pg.Pool {
  const pool = new pg.Pool({ ...config, options: `-c role=${role}`, max });
  pool.on("connect", (client) => client.on("error", () => {})); // one that was killed
  pool.on("error", () => {});
  return pool;
}

/** Two batches: of more events than a refresh waits for, and of one event that is read when `isReady`. */
class LongLoad extends MemorySource {
  constructor(private readonly isReady: () => Promise<boolean>) {
    const event = (n: number) => ({
      eventName: "product_view",
      sessionId: `session-${n >> 3}`,
      clientId: `client-${n >> 4}`,
      product: { id: `p${n % 10}` },
      eventId: `event-${n}`,
      _ingest: { receivedAt: new Date(START + n * 1200).toISOString() }, // over three days and a half
    });
    const first = Array.from({ length: 250_001 }, (_, n) => JSON.stringify(event(n))).join("\n");
    super([
      { key: "events/1.ndjson", content: first },
      { key: "events/2.json", content: JSON.stringify(event(250_001)) },
    ]);
  }

  override async *read(object: SourceObject): AsyncGenerator<Uint8Array> {
    while (object.key.includes("2") && !(await this.isReady())) await setImmediate();
    yield* super.read(object);
  }
}

/** Counts the refreshes, of which the first so many fail. */
function refreshingPool(pool: pg.Pool, failures: number): WarehousePool & { refreshes: number } {
  const counting = {
    refreshes: 0,
    query: pool.query.bind(pool),
    connect: async (): Promise<WarehouseClient> => {
      const client = await pool.connect();
      return {
        release: (broken) => client.release(broken),
        query: <Row>(text: string, values?: unknown[]) =>
          String(text).includes("BEGIN ISOLATION") && ++counting.refreshes <= failures
            ? Promise.reject(new Error("failed"))
            : (client as WarehouseClient).query<Row>(text, values),
      };
    },
  };
  return counting;
}

/** As a batch does: rows and marks in one transaction. */
async function load(pool: pg.Pool, events: readonly Columns[]): Promise<void> {
  const full = events.map((event) => ({
    event_id: randomUUID(),
    event_timestamp: "2025-12-06T03:00:00Z",
    event_name: "page_view",
    ...event,
  }));
  const client = await pool.connect();
  await client.query("BEGIN");
  await client.query(
    "INSERT INTO public.clickstream_events SELECT * FROM json_populate_recordset(NULL::public.clickstream_events, $1)",
    [JSON.stringify(full)],
  );
  await markStale(
    client,
    new Set(full.map((event) => Math.floor(Date.parse(String(event.event_timestamp)) / HOUR) * HOUR)),
  );
  await client.query("COMMIT");
  client.release();
}
