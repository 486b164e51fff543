import { expect } from "chai";
import { prune, rebuildRollups, type VerifyReport, verify, verifyRollups } from "etl-lib";
import { s3Source } from "etl-lib/s3";
import { labEnvironment, runCommand } from "../../testing/lab/command.js";
import { event, hourKey, json } from "../../testing/lab/events.js";
import { expectIdentity } from "../../testing/lab/identity.js";
import { BRIEF, counts, type Lab, openLab, openPool } from "../../testing/lab/lab.js";

const WINDOW = { from: new Date("2025-12-01T00:00Z"), to: new Date("2025-12-11T00:00Z") };
const midnight = (day: number) => new Date(Date.UTC(2025, 11, day));
const NAMES = ["product_view", "add_to_cart_click", "checkout_start", "checkout_complete"];

/** Four events an hour of the days 3 to 8, of sessions that last over midnight, so that each day touches the next. */
const EVENTS = Array.from({ length: 6 * 24 * 4 }, (_, n) => {
  const at = new Date(Date.UTC(2025, 11, 3) + n * 15 * 60_000).toISOString();
  return event(n, {
    eventName: NAMES[n % 4],
    userId: n % 3 === 0 ? `user-${n % 7}` : null,
    clientId: `client-${n % 11}`,
    sessionId: `session-${Math.floor((n + 48) / 96)}`,
    product: { id: `sku-${n % 3}`, name: "x", category: `c${n % 2}`, price: 1000 + n },
    _ingest: { receivedAt: at },
  });
});

describe("integration: pruning", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
    for (let part = 0; part < 6; part++)
      lab.s3.put(`events/2025/12/0${3 + part}/00/a.json`, json(EVENTS.slice(part * 96, (part + 1) * 96)));
    await lab.run({ window: WINDOW });
  });
  afterEach(() => lab.close());

  const query = async (sql: string, values?: unknown[]) => (await lab.db.pool.query(sql, values)).rows;
  const pruneTo = (day: number, more: object = {}) =>
    prune(lab.db.pool, { before: midnight(day), lake: false, ...more });

  async function report(): Promise<VerifyReport> {
    const source = s3Source({ client: lab.s3.client, bucket: lab.s3.bucket, retry: BRIEF });
    try {
      return await verify(lab.db.pool, { source, window: WINDOW });
    } finally {
      await source.close();
    }
  }

  /** Nothing is missing, whatever was pruned. */
  async function expectSound(): Promise<void> {
    await expectIdentity(lab.db.pool);
    const { gaps, table } = await report();
    expect(gaps).to.deep.equal([]);
    expect(table.ledgerInserted - table.pruned - table.erased).to.equal(table.rows);
    expect((await verifyRollups(lab.db.pool)).differences).to.deep.equal([]);
  }

  const ROLLUPS = [
    "days",
    "day_clients",
    "product_days",
    "funnel_days",
    "hourly_events",
    "visits",
    "products",
  ];
  const rollups = () =>
    Promise.all(
      ROLLUPS.map(async (name) =>
        (await query(`SELECT to_json(r)::text AS row FROM dw.${name} r ORDER BY 1`)).map(({ row }) => row),
      ),
    );

  it("removes the rows of whole days, and leaves every rollup and the ledger's counts as they were", async () => {
    const before = await rollups();
    const ledger = await query("SELECT key, read, inserted FROM etl.objects ORDER BY key");
    expect(await pruneTo(6)).to.deep.equal({
      rows: 3 * 96,
      keptFrom: midnight(6),
      waits: null,
      isDone: true,
    });
    expect(
      await query("SELECT min(event_timestamp) AS at, count(*)::int AS n FROM clickstream_events"),
    ).to.deep.equal([{ at: midnight(6), n: 3 * 96 }]);
    expect(await rollups()).to.deep.equal(before);
    expect(await query("SELECT key, read, inserted FROM etl.objects ORDER BY key")).to.deep.equal(ledger);
    await expectSound();
    expect(await pruneTo(6), "again").to.include({ rows: 0, isDone: true });
    expect((await pruneTo(8)).rows, "further").to.equal(2 * 96);
    expect(await rollups()).to.deep.equal(before);
    await expectSound();
  });

  it("a late event of a pruned day changes nothing but its object's count", async () => {
    await pruneTo(6);
    const before = await rollups();
    lab.s3.put(
      hourKey("late.json"),
      json([event(9001, { _ingest: { receivedAt: "2025-12-04T10:00:00.000Z" } })]),
    );
    const { events } = await lab.run({ window: WINDOW });
    expect(events).to.deep.equal(counts(1, 0, 0, 0, 1));
    expect(await rollups()).to.deep.equal(before);
    await expectSound();
  });

  it("an event of the day that the line cuts in another zone is added to it, pruned hours and all", async () => {
    const untouched = async () =>
      query("SELECT * FROM dw.product_days WHERE day <> '2025-12-06' ORDER BY 1, 2, 3");
    const others = await untouched();
    const views =
      "SELECT sum(views)::int AS n FROM dw.product_days WHERE zone = 'Asia/Ho_Chi_Minh' AND day = '2025-12-06'";
    const [{ n }] = await query(views);
    await pruneTo(6); // of that day in Viet Nam 7 hours are gone
    lab.s3.put(
      hourKey("more.json"),
      json([event(9002, { product: { id: "sku-1" }, _ingest: { receivedAt: "2025-12-06T03:10:00.000Z" } })]),
    );
    await lab.run({ window: WINDOW });
    expect(await query(views)).to.deep.equal([{ n: n + 1 }]);
    const [{ events }] = await query(
      "SELECT events::int FROM dw.days WHERE zone = 'Asia/Ho_Chi_Minh' AND day = '2025-12-06'",
    );
    expect(events).to.equal(97);
    expect((await untouched()).length).to.equal(others.length);
    await expectSound();
  });

  it("a rebuild makes what is kept, and leaves the rest as it is", async () => {
    await pruneTo(6);
    const before = await rollups();
    await rebuildRollups(lab.db.pool);
    expect(await rollups()).to.deep.equal(before);
    await expectSound();
  });

  it("an object of pruned days that is read again brings nothing back", async () => {
    await pruneTo(6);
    const { events } = await lab.runUnchecked({ window: WINDOW, reload: true });
    expect(events).to.deep.equal(counts(576, 0, 288, 0, 288));
    expect(
      await query("SELECT sum(inserted)::int AS inserted, sum(expired)::int AS expired FROM etl.objects"),
    ).to.deep.equal([{ inserted: 576, expired: 0 }]);
    await expectSound();
  });

  it("goes on where it was stopped, whichever transaction that was", async () => {
    for (let steps = 1; ; steps += 7) {
      let asked = 0;
      const { isDone } = await pruneTo(8, { isTimeUp: () => ++asked > steps });
      await expectSound();
      if (isDone) break;
    }
    expect(await lab.count()).to.equal(96);
  });

  it("is what the role of a run may do, and more than it may do by itself", async () => {
    const writer = openPool(lab.db.config, { options: "-c role=etl_writer" });
    try {
      await writer.query("DELETE FROM public.clickstream_events").then(
        () => expect.fail("deleted"),
        (error) => expect(error.code).to.equal("42501"),
      );
      await writer.query("SELECT etl.prune_hour('2025-12-08T05:00Z', 10)").then(
        () => expect.fail("pruned"),
        (error) => expect(error.message).to.match(/is kept: close its day first/),
      );
      expect((await prune(writer, { before: midnight(6), lake: false })).rows).to.equal(288);
    } finally {
      await writer.end();
    }
  });

  it("waits for rollups that are not up to date, and with a lake for a file that is all the table holds", async () => {
    await query("INSERT INTO dw.stale_hours (hour) VALUES ('2025-12-04T05:00Z')");
    expect((await pruneTo(6)).waits).to.deep.equal({ day: "2025-12-04", for: "rollups" });
    expect(await lab.count(), "the day before could go").to.equal(5 * 96);
    await query("DELETE FROM dw.stale_hours");
    expect((await pruneTo(6, { lake: true })).waits).to.deep.equal({ day: "2025-12-04", for: "export" });
    await query(`INSERT INTO etl.exports (day, part, key, rows, ids, details, checksum, bytes, etag, verified_at)
      SELECT day, 0, 'k', rows, 0, 0, '', 0, '', now() FROM etl.lake_days`);
    expect((await pruneTo(6, { lake: true })).waits, "other rows").to.deep.equal({
      day: "2025-12-04",
      for: "export",
    });
    await query(`UPDATE etl.exports e SET ids = l.ids, details = l.details FROM (
      SELECT (hour AT TIME ZONE 'UTC')::date AS day, sum(ids) AS ids, sum(details) AS details FROM etl.loaded_hours GROUP BY 1) l WHERE l.day = e.day`);
    expect(await pruneTo(6, { lake: true })).to.include({ rows: 192, waits: null, isDone: true });
    const [{ n }] = await query("SELECT count(*)::int AS n FROM etl.exports WHERE pruned_at IS NOT NULL");
    expect(n, "never written from the table again").to.equal(2);
    await expectSound();
  });

  it("is a step of a run with a retention, after its rollups", async () => {
    const clock = () => Date.UTC(2025, 11, 10, 5);
    lab.s3.put(
      hourKey("fresh.json", "07"),
      json([event(9003, { _ingest: { receivedAt: "2025-12-06T07:00:00.000Z" } })]),
    );
    await query("UPDATE etl.runs SET started_at = '2024-01-01Z'");
    const retention = { events: 4, rejects: 30, runs: 365 };
    const summary = await lab.run({ window: WINDOW, clock, retention });
    expect([summary.pruned, summary.errors]).to.deep.equal([288, []]);
    expect(
      await query("SELECT count(*)::int AS n FROM etl.runs"),
      "of old runs nothing is left",
    ).to.deep.equal([{ n: 1 }]);
    await expectSound();
  });

  it("of quarantine goes the text, not the count; what no longer stands goes as a whole", async () => {
    lab.s3.put(hourKey("bad.json"), '[{"eventName": 7}, 8]');
    await lab.run({ window: WINDOW });
    await query("UPDATE etl.rejects SET rejected_at = '2024-01-01Z'");
    await query("UPDATE etl.rejects SET requeued_at = now() WHERE position = 1");
    await query("UPDATE etl.objects SET read = 1, rejected = 1 WHERE rejected = 2");
    const env = labEnvironment(lab);
    const { stdout, code } = await runCommand(["prune", "--rejects-before", "2025-01-01", "--json"], env);
    expect([code, JSON.parse(stdout).records]).to.deep.equal([0, { rejects: 2, runs: 0 }]);
    expect(await query("SELECT position::int, raw FROM etl.rejects")).to.deep.equal([
      { position: 0, raw: "" },
    ]);
    await expectSound();
  });

  describe("the command", () => {
    it("says what would go, and removes it", async () => {
      const env = labEnvironment(lab);
      const dry = await runCommand(["prune", "--before", "2025-12-05", "--dry-run"], env);
      expect(dry.stdout)
        .to.match(/nothing was removed. 192 events of 2 days would go/)
        .and.match(/2025-12-04 +│ +96/);
      expect(await lab.count()).to.equal(576);
      const { stdout, code } = await runCommand(["prune", "--before", "2025-12-05", "--json"], env);
      expect([code, JSON.parse(stdout)]).to.deep.equal([
        0,
        {
          rows: 192,
          keptFrom: "2025-12-05T00:00:00.000Z",
          waits: null,
          isDone: true,
          records: { rejects: 0, runs: 0 },
        },
      ]);
      const verified = await runCommand(["verify", "--from", "2025-12-01", "--to", "2025-12-11"], env);
      expect([verified.code, verified.stdout]).to.satisfy(
        ([status, text]: [number, string]) =>
          status === 0 && /576 events inserted, less 192 pruned, the table holds 384/.test(text),
      );
    });

    it("refuses an open day, a day that is none, and nothing to do, in one sentence", async () => {
      const env = labEnvironment(lab);
      const today = new Date().toISOString().slice(0, 10);
      for (const [args, sentence] of [
        [["--before", today], /^prune: \S+ is still open: .*ETL_LOOKBACK_HOURS.* nothing was\.$/m],
        [["--before", "2025-13-01"], /^prune: --before must be a day such as/m],
        [[], /^prune: prune needs --before/m],
      ] as const) {
        const { code, stderr } = await runCommand(["prune", ...args], env);
        expect([code, stderr]).to.satisfy(
          ([status, text]: [number, string]) => status === 2 && sentence.test(text),
        );
      }
      expect(await lab.count()).to.equal(576);
    });

    it("fails when a day has to wait", async () => {
      await query("INSERT INTO dw.stale_hours (hour) VALUES ('2025-12-03T05:00Z')");
      const { code, stdout } = await runCommand(["prune", "--before", "2025-12-05"], labEnvironment(lab));
      expect([code, stdout]).to.satisfy(
        ([status, text]: [number, string]) =>
          status === 1 && /2025-12-03 is not pruned: its rollups/.test(text),
      );
    });
  });
});
