import { expect } from "chai";
import type { RunSummary } from "etl-lib";
import type pg from "pg";
import { event, events, hourKey, json } from "../../testing/lab/events.js";
import { expectIdentity } from "../../testing/lab/identity.js";
import { type Lab, openLab, openPool, PATIENT } from "../../testing/lab/lab.js";
import { until } from "../../testing/until.js";

describe("integration: several runs at once", function () {
  this.timeout(90_000);
  let lab: Lab;
  let pools: pg.Pool[];
  beforeEach(async () => {
    lab = await openLab();
    pools = [];
  });
  afterEach(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await lab.close();
  });

  /** As many processes would: each run with connections of its own. */
  async function raceOf(runs: number, batchRows: number): Promise<RunSummary[]> {
    pools = Array.from({ length: runs }, () => openPool(lab.db.config, { max: 3 }));
    const summaries = await Promise.all(
      pools.map((pool) => lab.runUnchecked({ pool, batchRows, retry: PATIENT })),
    );
    for (const summary of summaries) await expectIdentity(lab.db.pool, summary);
    return summaries;
  }

  const sum = (summaries: readonly RunSummary[], of: (summary: RunSummary) => number): number =>
    summaries.reduce((total, summary) => total + of(summary), 0);

  for (const runs of [2, 8])
    it(`${runs} over the same objects: each object is loaded by one of them`, async () => {
      for (let n = 0; n < 400; n++) lab.s3.put(hourKey(`${n}.json`), json([event(n), event(n + 1), 7]));
      const summaries = await raceOf(runs, 50);
      expect(summaries.map(({ error }) => error)).to.deep.equal(Array(runs).fill(null));
      expect(sum(summaries, ({ objects }) => objects.loaded)).to.equal(400);
      expect(sum(summaries, ({ events: { inserted } }) => inserted)).to.equal(401);
      expect(sum(summaries, ({ events: { rejected } }) => rejected)).to.equal(400);
      for (const { objects } of summaries) expect(objects.loaded + objects.alreadyLoaded).to.equal(400);
    });

  for (const runs of [2, 8])
    it(`${runs} over different objects that hold the same events, in another order each`, async () => {
      // Opposite orders are what deadlocks are made of: one may cost a batch one retry, and never a run.
      for (let n = 0; n < runs; n++) {
        const same = events(0, 3000);
        if (n % 2 === 1) same.reverse();
        for (let part = 0; part < 3; part++)
          lab.s3.put(
            hourKey(`part-${part}.json`, `0${n}`),
            json(same.slice(part * 1000, part * 1000 + 1000)),
          );
      }
      pools = Array.from({ length: runs }, () => openPool(lab.db.config, { max: 3 }));
      const summaries = await Promise.all(
        pools.map((pool, n) => {
          const from = new Date(Date.UTC(2025, 11, 6, n));
          const window = { from, to: new Date(from.getTime() + 3_600_000) };
          return lab.runUnchecked({ pool, window, batchRows: 700, retry: { ...PATIENT, retries: 1 } });
        }),
      );
      for (const summary of summaries) await expectIdentity(lab.db.pool, summary);
      expect(summaries.map(({ status, error }) => [status, error])).to.deep.equal(
        Array(runs).fill(["succeeded", null]),
      );
      expect(sum(summaries, ({ events: { inserted } }) => inserted)).to.equal(3000);
      expect(sum(summaries, ({ events: { duplicates } }) => duplicates)).to.equal(3000 * (runs - 1));
    });

  it("tries a batch that a deadlock ended again alone, and the next one beside others", async () => {
    await lab.db.pool.query(`CREATE SEQUENCE attempts;
      CREATE TABLE locks (mode text);
      CREATE FUNCTION deadlock_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO locks SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND pid = pg_backend_pid();
        IF nextval('attempts') = 1 THEN RAISE 'as in a deadlock' USING ERRCODE = '40P01'; END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER deadlock BEFORE INSERT ON clickstream_events EXECUTE FUNCTION deadlock_once()`);
    for (let n = 0; n < 2; n++) lab.s3.put(hourKey(`${n}.json`), json([event(n)]));
    expect(await lab.run({ batchRows: 1 })).to.include({ status: "succeeded", error: null });
    const { rows } = await lab.db.pool.query("SELECT mode FROM locks");
    expect(rows).to.deep.equal([{ mode: "ExclusiveLock" }, { mode: "ShareLock" }]); // the first went with its transaction
  });

  it("goes on without an object that another run holds and then gives up", async () => {
    lab.s3.put(hourKey("a.json"), json(events(0, 10)));
    const other = await lab.db.pool.connect();
    await other.query("BEGIN");
    const etag = lab.s3.put(hourKey("b.json"), json(events(10, 20)));
    await other.query(
      `INSERT INTO etl.objects (bucket, key, etag, size, last_modified, read, inserted, duplicates, rejected, run_id)
       VALUES ($1, $2, $3, 0, now(), 0, 0, 0, 0, gen_random_uuid())`,
      [lab.s3.bucket, hourKey("b.json"), etag],
    );
    const running = lab.run();
    await until("the run waits for the lock", async () => (await waiting()) > 0);
    await other.query("ROLLBACK");
    other.release();
    expect((await running).objects).to.include({ loaded: 2, alreadyLoaded: 0 });
    expect(await lab.count()).to.equal(20);
  });

  const waiting = async (): Promise<number> =>
    (
      await lab.row(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      )
    ).n;
});
