import { expect } from "chai";
import type pg from "pg";
import { dayKey, event, events, hourKey, json, ndjson, uuid } from "../../testing/lab/events.js";
import { expectIdentity } from "../../testing/lab/identity.js";
import { counts, type Lab, openLab, openPool, PATIENT } from "../../testing/lab/lab.js";
import { type PgProxy, startPgProxy } from "../../testing/lab/pg-proxy.js";
import { newPostgres, type TestPostgres } from "../../testing/postgres.js";
import { gets, halfWay } from "../../testing/s3/s3.js";
import { until } from "../../testing/until.js";

/** As a large object: streamed, in many chunks of one transaction. */
const LARGE = 12_000;
const HALF = 1_500_000;

describe("integration: PostgreSQL fails in the middle of a run", () => {
  let server: TestPostgres;
  let lab: Lab;
  /** The run's own connections, told from the test's by their name. */
  let pool: pg.Pool;

  before(async () => {
    // A commit that was answered must outlive a kill: asynchronous commits need not.
    server = await newPostgres({ settings: { synchronous_commit: "on" } });
  });
  beforeEach(async () => {
    lab = await openLab(server);
    pool = openPool(lab.db.config, { application_name: "etl" });
  });
  afterEach(async () => {
    await pool.end();
    await lab.close();
  });

  const run = (batchRows = 1000) => lab.run({ pool, retry: PATIENT, batchRows });

  /** Waits until one of the run's backends is in this state. */
  async function etlBackend(state: string): Promise<void> {
    await until(`a backend is ${state}`, async () => (await etlBackends(state)) > 0);
  }

  async function noEtlBackend(state: string): Promise<void> {
    await until(`no backend is ${state}`, async () => (await etlBackends(state)) === 0);
  }

  const etlBackends = async (state: string): Promise<number> =>
    (
      await lab.row(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'etl' AND ${state}`,
      )
    ).n;

  const terminate = () =>
    lab.row("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'etl'");

  /** Inserts an event and does not commit: whoever loads the same one waits in the middle of its COPY. */
  async function blockOn(id: number): Promise<{ release(): Promise<void> }> {
    const client = await lab.db.pool.connect();
    client.on("error", () => {});
    await client.query("BEGIN");
    await client.query(
      "INSERT INTO public.clickstream_events (event_id, event_timestamp, event_name) VALUES ($1, now(), 'x')",
      [uuid(id)],
    );
    return {
      async release() {
        await client.query("ROLLBACK").catch(() => undefined);
        client.release(true);
      },
    };
  }

  const WAITING_IN_COPY = "query LIKE 'COPY%' AND wait_event_type = 'Lock'";

  it("is terminated between two chunks of a transaction", async () => {
    lab.s3.put(dayKey("large.ndjson"), ndjson(events(0, LARGE)));
    const cut = lab.s3.fault(
      halfWay(HALF, async () => {
        await etlBackend("state = 'idle in transaction'");
        await terminate();
      }),
      { when: gets(), times: 1 },
    );
    const { status, events: loaded } = await run();
    expect([cut.hits, status, loaded]).to.deep.equal([1, "succeeded", counts(LARGE, LARGE)]);
  });

  it("is terminated in the middle of a COPY", async () => {
    lab.s3.put(dayKey("large.ndjson"), ndjson(events(0, LARGE)));
    const block = await blockOn(LARGE / 2);
    const running = run();
    await etlBackend(WAITING_IN_COPY);
    await terminate();
    await block.release();
    expect((await running).events).to.deep.equal(counts(LARGE, LARGE));
  });

  it("is restarted in the middle of a COPY", async () => {
    lab.s3.put(dayKey("large.ndjson"), ndjson(events(0, LARGE)));
    const block = await blockOn(LARGE / 2);
    const running = run();
    await etlBackend(WAITING_IN_COPY);
    await server.restart();
    await block.release();
    expect((await running).events).to.deep.equal(counts(LARGE, LARGE));
  });

  it("is killed with -9 while an object streams, and recovers", async () => {
    for (let n = 0; n < 40; n++) lab.s3.put(hourKey(`${n}.json`), json(event(n)));
    lab.s3.put(hourKey("large.ndjson"), ndjson(events(0, LARGE)));
    const crash = lab.s3.fault(
      halfWay(HALF, async () => {
        await server.kill9();
        await server.start();
      }),
      { when: gets(hourKey("large.ndjson")), times: 1 },
    );
    const summary = await run(20);
    expect(crash.hits).to.equal(1);
    expect(summary.events).to.deep.equal(counts(LARGE + 40, LARGE, 40));
  });

  it("is not there at all: the run fails in a sentence, and the next one completes", async () => {
    lab.s3.put(hourKey("1.json"), json(event(1)));
    await server.stop();
    const failed = await lab.runUnchecked({ pool });
    expect([failed.status, failed.objects, failed.events]).to.deep.equal([
      "failed",
      { listed: 0, alreadyLoaded: 0, loaded: 0, failed: 0, remaining: 0, unlisted: 0 },
      counts(0, 0),
    ]);
    expect(failed.error).to.include({ kind: "retriable", stage: "load" });
    expect(failed.error?.message).to.match(/^PostgreSQL is not available: .*ECONNREFUSED/);
    await server.start();
    expect((await run()).events).to.deep.equal(counts(1, 1));
  });

  it("goes in the middle and does not come back: what is committed stays, the next run loads the rest", async () => {
    for (let n = 0; n < 200; n++) lab.s3.put(hourKey(`${String(n).padStart(3, "0")}.json`), json(event(n)));
    lab.s3.put(hourKey("large.ndjson"), ndjson(events(1000, 1000 + LARGE)));
    lab.s3.fault(
      halfWay(HALF, () => server.kill9()),
      { when: gets(hourKey("large.ndjson")), times: 1 },
    );
    const failed = await lab.runUnchecked({ pool, batchRows: 50 });
    expect(failed.status).to.equal("failed");
    expect(failed.error).to.include({ kind: "retriable", stage: "load" });
    await server.start();
    await expectIdentity(lab.db.pool);
    expect(await lab.count()).to.equal(failed.events.inserted);
    const next = await run();
    expect(next.status).to.equal("succeeded");
    expect(failed.events.inserted + next.events.inserted).to.equal(200 + LARGE);
  });

  it("ends a transaction that waits too long for S3", async () => {
    const impatient = openPool(lab.db.config, {
      application_name: "etl",
      idle_in_transaction_session_timeout: 100,
    });
    lab.s3.put(dayKey("large.ndjson"), ndjson(events(0, LARGE)));
    const slow = lab.s3.fault(
      halfWay(HALF, async () => {
        await etlBackend("state = 'idle in transaction'");
        await noEtlBackend("state = 'idle in transaction'");
      }),
      { when: gets(), times: 1 },
    );
    const summary = await lab.run({ pool: impatient, retry: PATIENT, batchRows: 1000 });
    await impatient.end();
    expect([slow.hits, summary.events]).to.deep.equal([1, counts(LARGE, LARGE)]);
  });

  it("has no connection free for a while", async () => {
    lab.s3.put(hourKey("1.json"), json(event(1)));
    const narrow = openPool(lab.db.config, { max: 1, connectionTimeoutMillis: 1000 });
    const taken = await narrow.connect();
    const retry = { retries: 20, minDelayMs: 20, maxDelayMs: 50 };
    const running = lab.run({ pool: narrow, retry });
    await new Promise((resolve) => setTimeout(resolve, 1500)); // the first attempt times out
    taken.release();
    expect((await running).events).to.deep.equal(counts(1, 1));
    await narrow.end();
  });

  it("is terminated while the ledger is looked up and while the run is recorded", async () => {
    for (let n = 0; n < 1200; n++) lab.s3.put(hourKey(`${n}.json`), json(event(n)));
    let cuts = 0;
    for (const operation of ["ListObjectsV2", "GetObject"] as const)
      lab.s3.fault(
        async () => {
          cuts++;
          await terminate();
          return false;
        },
        { when: (request) => request.operation === operation, times: 3 },
      );
    expect((await run(200)).events).to.deep.equal(counts(1200, 1200));
    expect(cuts).to.be.at.least(5);
  });

  describe("and the answer to a COMMIT is lost", () => {
    let proxy: PgProxy;
    let proxied: pg.Pool;
    beforeEach(async () => {
      proxy = await startPgProxy(lab.db.config);
      proxied = openPool(proxy.config, { application_name: "etl" });
      lab.s3.put(hourKey("a.json"), json([...events(0, 50), "reject", event(7)]));
      lab.s3.put(hourKey("b.json"), json([event(51, { userId: 7 }), event(1)]));
    });
    afterEach(async () => {
      await proxied.end();
      await proxy.close();
    });

    const WHOLE = counts(54, 51, 2, 1);

    it("though the commit went through: counts, rejects and warnings stay exact", async () => {
      proxy.loseAnswerTo("COMMIT");
      const summary = await lab.run({ pool: proxied, retry: PATIENT });
      expect(summary.events).to.deep.equal(WHOLE);
      expect(summary.rejects).to.deep.equal({ not_an_object: 1 });
      expect(summary.warnings).to.deep.equal({ user_id: { converted_to_text: 1 } });
      expect(summary.objects).to.include({ listed: 2, loaded: 2 });
    });

    it("and the commit arrives only when the next attempt waits for it", async () => {
      const holding = proxy.holdBack("COMMIT");
      const running = lab.run({ pool: proxied, retry: PATIENT });
      const late = await holding;
      await etlBackend("query LIKE 'INSERT INTO etl.objects%' AND wait_event_type = 'Lock'");
      late.deliver();
      const summary = await running;
      expect(summary.events).to.deep.equal(WHOLE);
      expect(summary.warnings).to.deep.equal({ user_id: { converted_to_text: 1 } });
      expect(summary.objects).to.include({ listed: 2, loaded: 2 });
    });

    it("and it did not go through: the next attempt loads the batch", async () => {
      const holding = proxy.holdBack("COMMIT");
      const running = lab.run({ pool: proxied, retry: PATIENT });
      await holding;
      await etlBackend("wait_event_type = 'Lock'");
      await lab.row(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'etl' AND state = 'idle in transaction'`,
      );
      expect((await running).events).to.deep.equal(WHOLE);
    });
  });
});
