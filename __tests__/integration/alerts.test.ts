import { expect } from "chai";
import { evaluateAlerts, runEtl } from "etl-lib";
import pg from "pg";
import { MemorySource } from "../../testing/etl-lib/memory-source.js";
import { startPostgres, type TestDatabase } from "../../testing/postgres.js";

const NOW = new Date("2026-11-24T10:20:00Z");
const WEEKS = [1, 2, 3, 4];

describe("alerts", () => {
  let database: TestDatabase;
  let writer: pg.Pool;
  beforeEach(async () => {
    database = await (await startPostgres()).createWarehouse();
    writer = new pg.Pool({ ...database.config, options: "-c role=etl_writer", max: 2 });
    await events("page_view", 5, 1, "26 hours"); // so that the data reaches back
  });
  afterEach(async () => {
    await writer?.end();
    await database?.drop();
  });

  /** Events of an hour that began so long before the last whole hour's end, so many weeks ago. */
  const events = (name: string, weeks: number, count: number, before = "1 hour") =>
    database.pool.query(
      `INSERT INTO dw.hourly_events (hour, event_name, events)
       SELECT timestamptz '2026-11-24 10:00Z' - $1 * interval '7 days' - $2::interval, $3, $4`,
      [weeks, before, name, count],
    );
  const sessions = (weeks: number, count: number, converted: number) =>
    database.pool.query(
      `INSERT INTO dw.sessions SELECT gen_random_uuid(), at, at, CASE WHEN i <= $3 THEN 5 ELSE 2 END, NULL, 0
       FROM generate_series(1, $2::int) AS i, LATERAL (
         SELECT timestamptz '2026-11-24 10:00Z' - $1 * interval '7 days' - i % 24 * interval '1 hour' - interval '1 minute' AS at) a`,
      [weeks, count, converted],
    );
  const run = (weeks: number, read: number, rejected: number) =>
    database.pool.query(
      `INSERT INTO etl.runs (run_id, trigger, bucket, status, started_at, events) VALUES (gen_random_uuid(), 'schedule', 'b', 'succeeded',
         $1::timestamptz - $2 * interval '7 days' - interval '5 minutes', jsonb_build_object('read', $3::int, 'rejected', $4::int))`,
      [NOW.toISOString(), weeks, read, rejected],
    );
  const raised = (now = NOW) => evaluateAlerts(writer, now, 60_000);
  const found = async (rule: string) =>
    (
      await database.pool.query(
        "SELECT value::float8, expected::float8, is_raised, since, detail FROM dw.alerts WHERE rule = $1",
        [rule],
      )
    ).rows[0];

  it("are quiet where there is nothing to compare with", async () => {
    expect(await raised()).to.deep.equal([]);
    expect(await found("conversion_fell")).to.include({ value: null, is_raised: false });
  });

  it("tell an hour without events where there usually are some, and since when", async () => {
    for (const week of WEEKS) await events("click", week, 8 + week);
    expect(await raised()).to.deep.equal(["no_events"]);
    expect(await found("no_events")).to.include({ expected: 10.5, is_raised: true });
    await raised(new Date(NOW.getTime() + 60_000));
    expect((await found("no_events")).since).to.deep.equal(NOW);
    await events("click", 0, 1);
    expect(await raised()).to.deep.equal([]);
    expect(await found("no_events")).to.include({ value: 1, since: null });
  });

  it("are quiet about an hour that never has many events", async () => {
    for (const week of WEEKS) await events("click", week, 9);
    expect(await raised()).to.deep.equal([]);
  });

  for (const [converted, count, isRaised] of [
    [13, 200, true],
    [14, 200, false],
    [2, 99, false],
  ] as const)
    it(`${isRaised ? "tell" : "are quiet about"} a conversion of ${converted} in ${count}, after 10 %`, async () => {
      for (const week of WEEKS) await sessions(week, 200, 20);
      await sessions(0, count, converted);
      expect(await raised()).to.deep.equal(isRaised ? ["conversion_fell"] : []);
      expect((await found("conversion_fell")).expected).to.be.closeTo(0.1, 1e-9);
    });

  it("name event names never seen before, and none of a first load", async () => {
    await events("click", 0, 3);
    await database.pool.query("DELETE FROM dw.hourly_events WHERE event_name = 'page_view'");
    expect(await raised(), "a first load").to.deep.equal([]);
    await events("page_view", 2, 1);
    await events("click", 3, 1);
    await events("buy_now", 0, 3);
    await events("<b>new</b>", 0, 3);
    expect(await raised()).to.deep.equal(["new_event_name"]);
    expect(await found("new_event_name")).to.include({ value: 2, detail: "<b>new</b>, buy_now" });
  });

  for (const [rejected, before, isRaised] of [
    [21, 10, true],
    [20, 10, false],
    [5, 0, false],
    [11, 0, true],
  ] as const)
    it(`${isRaised ? "tell" : "are quiet about"} ${rejected} rejects of 1,000 after ${before}`, async () => {
      for (const week of WEEKS) await run(week, 1000, before);
      await run(0, 1000, rejected);
      expect(await raised()).to.deep.equal(isRaised ? ["rejects_rose"] : []);
    });

  it("follow rules of one's own, and leave out those that are off", async () => {
    await database.pool.query(
      `UPDATE dw.alert_rules SET is_on = false;
       INSERT INTO dw.alert_rules VALUES ('too_many', 'orders', 2, 0, 'above', 4, 0), ('too_few', 'sessions', 24, 0, 'below', 3, 0),
         ('doubled', 'events', 1, 2, 'rose_by', 1, 2)`,
    );
    await events("checkout_complete", 0, 5, "2 hours");
    await sessions(0, 2, 1);
    for (const week of [1, 2]) await events("click", week, 2);
    await events("click", 0, 5);
    expect(await raised()).to.deep.equal(["doubled", "too_few", "too_many"]);
  });

  it("that cannot be evaluated fail no run", async () => {
    const source = new MemorySource([]);
    const options = { source, pool: database.pool, window: null, trigger: "local" } as const;
    expect((await runEtl(options)).alerts).to.deep.equal([]);
    await database.pool.query("ALTER TABLE dw.alerts RENAME TO no_alerts");
    const summary = await runEtl(options);
    expect(summary).to.include({ status: "skipped", alerts: null, error: null });
    expect(summary.errors.map((error) => error.message).join()).to.include("dw.alerts");
  });
});
