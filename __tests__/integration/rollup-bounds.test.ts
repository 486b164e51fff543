import { randomUUID } from "node:crypto";
import { expect } from "chai";
import {
  markStale,
  migrate,
  rebuildRollups,
  refreshRollups,
  runEtl,
  verifyRollups,
  type WarehouseClient,
  type WarehousePool,
} from "etl-lib";
import pg from "pg";
import { MemorySource } from "../../testing/etl-lib/memory-source.js";
import { startPostgres, type TestDatabase } from "../../testing/postgres.js";

const HOUR = 3_600_000;
const START = Date.parse("2025-10-01T03:00:00Z");
const RIGHT = { staleHours: 0, differences: [] };
/** What no bounded step takes on at once. */
const WEEKS = 4;

type Columns = { readonly [column: string]: unknown };

describe("integration: nothing stops a refresh for good", () => {
  let database: TestDatabase;
  let writer: pg.Pool;

  beforeEach(async () => {
    database = await (await startPostgres()).createDatabase();
    await migrate(database.pool);
    writer = new pg.Pool({ ...database.config, options: "-c role=etl_writer", max: 4 });
    writer.on("error", () => {});
  });
  afterEach(async () => {
    await writer.end();
    await database.drop();
  });

  const rows = async (sql: string): Promise<unknown[]> =>
    (await database.pool.query({ text: sql, rowMode: "array" })).rows;
  const one = async (sql: string): Promise<unknown> => ((await rows(sql)) as unknown[][])[0]?.[0];

  async function load(events: readonly Columns[]): Promise<void> {
    const full = events.map((event) => ({
      event_id: randomUUID(),
      event_timestamp: "2025-12-06T03:00:00Z",
      event_name: "page_view",
      ...event,
    }));
    await writer.query(
      "INSERT INTO public.clickstream_events SELECT * FROM json_populate_recordset(NULL::public.clickstream_events, $1)",
      [JSON.stringify(full)],
    );
    const hours = full.map(({ event_timestamp }) => Math.floor(Date.parse(event_timestamp) / HOUR) * HOUR);
    await markStale(writer, new Set(hours));
  }

  /** An event every six hours, each its own session and client. */
  const loadWeeks = () =>
    load(
      Array.from({ length: WEEKS * 28 }, (_, n) => ({
        event_timestamp: new Date(START + n * 6 * HOUR).toISOString(),
        session_id: `s${n}`,
        client_id: `c${n}`,
        context_product_id: `p${n % 3}`,
      })),
    );

  it("tells 200 landing pages apart, and counts the others as one", async () => {
    const events = Array.from({ length: 260 }, (_, n) => ({
      event_id: randomUUID(),
      session_id: `s${n}`,
      page: `/p/${n}`,
    }));
    await load(events.map(({ event_id, session_id }) => ({ event_id, session_id })));
    await detail(
      events.map(({ event_id, page }) => ({ event_id, page_url: `https://shop.vn${page}?token=secret` })),
    );
    await refreshRollups(writer);
    expect(
      await rows(
        "SELECT count(*)::int, sum(sessions)::int FROM dw.entry_days WHERE zone = 'UTC' AND kind = 'page'",
      ),
    ).to.deep.equal([[200, 260]]);
    expect(
      await one(
        "SELECT sessions::int FROM dw.entry_days WHERE zone = 'UTC' AND kind = 'page' AND value = 'other'",
      ),
    ).to.equal(61);
    expect(await rows("SELECT label FROM dw.entry_labels WHERE label LIKE '%secret%'")).to.deep.equal([]);
    expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    await rebuildRollups(writer);
    expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
  });

  it("takes ten thousand sessions that begin at one moment as it takes any others", async () => {
    const events = Array.from({ length: 10_000 }, (_, n) => ({
      event_id: randomUUID(),
      session_id: `s${n}`,
    }));
    await load(events);
    await detail(events.map(({ event_id }) => ({ event_id, page_url: "https://shop.vn/" })));
    await refreshRollups(writer, { remainingMs: () => 120_000 }); // a hundred million pairs took minutes
    expect(
      await rows("SELECT value, sessions::int FROM dw.entry_days WHERE zone = 'UTC' AND kind = 'page'"),
    ).to.deep.equal([["/", 10_000]]);
  });

  it("reads an address's path and host, whatever it is", async () => {
    const addresses = [
      "https://u:p@WWW.Shop.vn:8443/a/b?t=1#x",
      "http://shop.vn",
      "http://shop.vn?a=/b",
      "/c/http://x.vn/d#e",
      "?next=http://x",
      "",
      null,
    ];
    const { rows } = await database.pool.query(
      "SELECT dw.path_of(a) AS path, dw.host_of(a) AS host FROM unnest($1::text[]) WITH ORDINALITY AS of (a, n) ORDER BY n",
      [addresses],
    );
    expect(rows.map(({ path, host }) => [path, host])).to.deep.equal([
      ["/a/b", "shop.vn"],
      ["/", "shop.vn"],
      ["/", "shop.vn"],
      ["/c/http://x.vn/d", null],
      ["/", null],
      ["/", null],
      [null, null],
    ]);
  });

  it("knows where a session came from once its details are filled in later", async () => {
    const event_id = randomUUID();
    await load([{ event_id, session_id: "s" }]);
    await refreshRollups(writer);
    expect(await rows("SELECT kind, is_bot FROM dw.entry_days WHERE zone = 'UTC'")).to.deep.equal([
      ["all", null],
    ]);
    await detail([{ event_id, device: "bot", browser: "Googlebot" }]);
    await markStale(writer, [Date.parse("2025-12-06T03:00:00Z")]);
    await refreshRollups(writer);
    expect(
      await rows(
        "SELECT kind, value, is_bot FROM dw.entry_days WHERE zone = 'UTC' AND value IS NOT NULL ORDER BY kind",
      ),
    ).to.deep.equal([
      ["browser", "Googlebot", true],
      ["device", "bot", true],
    ]);
    expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
  });

  const detail = (details: readonly Columns[]) =>
    writer.query(
      `INSERT INTO public.clickstream_event_details SELECT (json_populate_recordset(NULL::public.clickstream_event_details,
         to_json(jsonb_agg(d || '{"event_timestamp": "2025-12-06T03:00:00Z"}'::jsonb)))).* FROM jsonb_array_elements($1) d`,
      [JSON.stringify(details)],
    );

  /** A pool whose transactions meet `fault` before each statement. */
  const faulty = (
    fault: (text: string) => void | Promise<void>,
    rewrite = (text: string) => text,
  ): WarehousePool => ({
    query: writer.query.bind(writer),
    connect: async () => {
      const client: WarehouseClient = await writer.connect();
      return {
        release: (broken) => client.release(broken),
        query: <Row>(text: string, values?: unknown[]) => {
          if (typeof text !== "string") return client.query<Row>(text); // the stream of a COPY
          return Promise.resolve(text)
            .then(fault)
            .then(() => client.query<Row>(rewrite(text), values));
        },
      };
    },
  });
  const cutOff = () => {
    throw Object.assign(new Error("canceling statement due to statement timeout"), { code: "57014" });
  };
  const run = (pool: WarehousePool, more = {}) =>
    runEtl({
      source: new MemorySource([{ key: "events/1.json", content: '{"eventName":"click"}' }]),
      pool,
      window: null,
      trigger: "local",
      retry: { retries: 3, minDelayMs: 1, maxDelayMs: 1 },
      ...more,
    });

  describe("what takes too long", () => {
    it("is tried again with fewer hours, when a statement was cut off", async () => {
      await loadWeeks();
      let cuts = 0;
      const pool = faulty((text) => {
        if (/LIMIT (168|21)\n/.test(text) && cuts++ < 2) cutOff();
      });
      await refreshRollups(pool);
      expect(cuts).to.equal(2);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });

    it("leaves a run that loaded everything a success, and its marks to the next", async () => {
      const { status, rollupsRefreshed, error, events } = await run(
        faulty((text) => {
          if (text.includes("new_visits\nSELECT")) cutOff();
        }),
      );
      expect([status, rollupsRefreshed, events.inserted]).to.deep.equal(["succeeded", false, 1]);
      expect(error).to.include({ kind: "retriable", stage: "load" });
      expect(await one("SELECT count(*)::int FROM dw.stale_hours")).to.equal(1);
      expect(await run(writer)).to.include({ status: "skipped", rollupsRefreshed: true });
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });

    it("so does any other failure of a refresh", async () => {
      const summary = await run(
        faulty((text) => {
          if (text.includes("new_visits\nSELECT"))
            throw Object.assign(new Error("out of range"), { code: "22003" });
        }),
      );
      expect(summary).to.include({ status: "succeeded", rollupsRefreshed: false });
      expect(summary.error?.message).to.match(/out of range/);
    });

    it("ends with the run's time, whatever is left", async () => {
      await loadWeeks();
      expect(await run(writer, { endBudgetMs: 0 })).to.include({
        status: "succeeded",
        rollupsRefreshed: false,
      });
      expect((await run(writer)).rollupsRefreshed).to.equal(true);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });
  });

  describe("who holds a lock", () => {
    const holding = async (lock: string, work: () => Promise<unknown>) => {
      const client = await database.pool.connect();
      try {
        await client.query(`BEGIN; ${lock}`);
        await work();
      } finally {
        await client.query("ROLLBACK");
        client.release();
      }
    };

    it("keeps a refresh waiting for a bounded time", () =>
      holding("LOCK TABLE dw.state IN SHARE ROW EXCLUSIVE MODE", async () => {
        const impatient = faulty(
          () => {},
          (text) => text.replace("lock_timeout = '30s'", "lock_timeout = '50ms'"),
        );
        const summary = await run(impatient);
        expect(summary).to.include({ status: "succeeded", rollupsRefreshed: false });
        expect(summary.error?.message).to.match(/lock timeout/);
        expect(await one("SELECT count(*)::int FROM dw.stale_hours")).to.equal(1);
      }));

    it("as VACUUM does is not waited for: what is new is summarized next time", async () => {
      await loadWeeks();
      await holding("LOCK TABLE public.clickstream_events IN SHARE UPDATE EXCLUSIVE MODE", () =>
        refreshRollups(writer),
      );
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });
  });

  describe("goes step by step", () => {
    /** Ends the connection before the n-th transaction of the pool. */
    const stoppedAt = (transaction: number): WarehousePool => {
      let begun = 0;
      return faulty((text) => {
        if (text.includes("BEGIN ISOLATION") && ++begun === transaction) throw new Error("stopped");
      });
    };

    it("a rebuild: readers keep what there was, and a refresh goes on where it stopped", async () => {
      await loadWeeks();
      await refreshRollups(writer);
      const before = await rows("SELECT * FROM dw.days ORDER BY zone, day");
      await database.pool.query(
        "UPDATE dw.sessions SET furthest_step = 5; UPDATE dw.products SET seen_at = 'infinity'",
      );
      const stopped = await rebuildRollups(stoppedAt(3)).catch(String);
      expect(stopped).to.match(/stopped/);
      expect(await rows("SELECT * FROM dw.days ORDER BY zone, day")).to.deep.equal(before);
      expect(await one("SELECT is_rebuilding FROM dw.state")).to.equal(true);
      expect((await verifyRollups(writer)).staleHours).to.be.above(0);
      await refreshRollups(writer);
      expect(await one("SELECT is_rebuilding FROM dw.state")).to.equal(false);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });

    it("a rebuild forgets what no raw row says any more", async () => {
      await loadWeeks();
      await refreshRollups(writer);
      await database.pool.query(
        "DELETE FROM public.clickstream_events WHERE context_product_id = 'p1' OR event_timestamp > '2025-10-20'",
      );
      await rebuildRollups(writer);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
      expect(await rows("SELECT product_id FROM dw.products ORDER BY 1")).to.deep.equal([["p0"], ["p2"]]);
    });

    it("a new zone: a week a transaction, on from where it stopped", async () => {
      await loadWeeks();
      await refreshRollups(writer);
      await database.pool.query("INSERT INTO dw.zones VALUES ('America/New_York')");
      const daysOfZone = () => one("SELECT count(*)::int FROM dw.days WHERE zone = 'America/New_York'");
      await refreshRollups(stoppedAt(3)).catch(() => undefined);
      expect(await daysOfZone()).to.equal(14);
      await load([{ event_timestamp: "2025-10-02T03:00:00Z", session_id: "late" }]);
      await refreshRollups(writer);
      expect(await daysOfZone()).to.equal(WEEKS * 7 + 1);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });

    it("refuses a zone whose offset was not whole hours in the past", async () => {
      const add = (zone: string) =>
        database.pool.query("INSERT INTO dw.zones VALUES ($1)", [zone]).catch(String);
      for (const zone of ["America/Caracas", "Asia/Pyongyang", "Asia/Kolkata"])
        expect(await add(zone), zone).to.match(/zones_whole_hours/);
      expect(await add("America/Sao_Paulo")).to.not.match(/zones_/);
    });
  });

  describe("a stranger's words", () => {
    it("are told apart as far as there is room, and none is lost in the raw table", async () => {
      await load(
        Array.from({ length: 1000 }, (_, n) => ({
          event_name: n < 500 ? `name-${n}` : "click",
          user_login_state: n < 500 ? "anonymous" : `state-${n}`,
          session_id: `s${n % 10}`,
          client_id: `c${n % 10}`,
        })),
      );
      await refreshRollups(writer);
      expect(await one("SELECT count(DISTINCT event_name)::int FROM dw.hourly_events")).to.be.at.most(200);
      expect(await one("SELECT count(DISTINCT user_login_state)::int FROM dw.visits")).to.be.at.most(200);
      expect(
        await one("SELECT sum(events)::int FROM dw.hourly_events WHERE event_name = 'other'"),
      ).to.be.above(250);
      expect(await one("SELECT count(DISTINCT event_name)::int FROM public.clickstream_events")).to.equal(
        501,
      );
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
      await load([{ event_name: "wishlist_toggle", user_login_state: "guest" }, { event_name: "name-0" }]);
      await refreshRollups(writer);
      expect(
        await one("SELECT count(*)::int FROM dw.hourly_events WHERE event_name = 'wishlist_toggle'"),
      ).to.equal(1);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });

    it("the most frequent first", async () => {
      const words = Array.from({ length: 400 }, (_, n) => ({ event_name: `rare-${n}` }));
      await load([...words, ...Array.from({ length: 3 }, () => ({ event_name: "purchase" }))]);
      await refreshRollups(writer);
      expect(
        await one("SELECT sum(events)::int FROM dw.hourly_events WHERE event_name = 'purchase'"),
      ).to.equal(3);
    });

    it("a session with more categories than there is room for carries no more than that", async () => {
      const session = (from: number) =>
        Array.from({ length: 3000 }, (_, n) => ({
          session_id: "s1",
          event_name: "product_view",
          context_product_category: `category-${from + n}`,
        }));
      await load(session(0));
      await refreshRollups(writer);
      await load(session(3000));
      await load([{ session_id: "s2", event_name: "product_view", context_product_id: "p" }]);
      await refreshRollups(writer);
      expect(
        await one("SELECT cardinality(product_steps) FROM dw.sessions WHERE session_id = 's1'"),
      ).to.be.at.most(2000);
      expect(await verifyRollups(writer)).to.deep.equal(RIGHT);
    });

    it("clients keep their numbers over a rebuild, and a refresh that fails uses none up", async () => {
      await loadWeeks();
      await refreshRollups(faulty((text) => (text === "COMMIT" ? cutOff() : undefined))).catch(
        () => undefined,
      );
      await refreshRollups(writer);
      const before = await rows("SELECT client, client_id FROM dw.clients ORDER BY client");
      expect((before as unknown[][]).map(([client]) => client)).to.deep.equal(before.map((_, n) => n));
      await rebuildRollups(writer);
      expect(await rows("SELECT client, client_id FROM dw.clients ORDER BY client")).to.deep.equal(before);
    });

    it("past the last number, a client is no longer counted, and nothing stops", async () => {
      await database.pool.query("UPDATE dw.state SET next_client = 2147483647");
      await load([{ client_id: "a" }, { client_id: "b" }]);
      await refreshRollups(writer);
      expect(await one("SELECT clients::int FROM dw.days WHERE zone = 'UTC'")).to.equal(1);
    });
  });

  it("an hour is found in few blocks, whatever backdated rows lie between the others", async () => {
    await database.pool.query(
      `INSERT INTO public.clickstream_events (event_id, event_timestamp, event_name)
       SELECT gen_random_uuid(), CASE WHEN n % 100 = 0 THEN timestamptz '2025-06-01Z' + n % 160 * interval '1 day'
         ELSE timestamptz '2025-11-01Z' + n * interval '20 s' END, 'x' FROM generate_series(1, 60000) AS n;
       SELECT dw.summarize_events(); SET enable_seqscan = off`,
    );
    const client = await database.pool.connect();
    await client.query("SET enable_seqscan = off");
    const { rows: plans } = await client.query(
      `EXPLAIN (ANALYZE, FORMAT JSON) SELECT count(*) FROM public.clickstream_events
       WHERE event_timestamp >= '2025-11-05Z' AND event_timestamp < '2025-11-05 01:00Z'`,
    );
    client.release(true);
    const heap = plans[0]["QUERY PLAN"][0].Plan.Plans[0];
    const blocks = (await one(
      "SELECT relpages FROM pg_class WHERE oid = 'public.clickstream_events'::regclass",
    )) as number;
    expect(heap["Lossy Heap Blocks"]).to.be.within(1, 100);
    expect(blocks === 0 || blocks > 400, "the table is much larger").to.equal(true);
  });
});
