import { expect } from "chai";
import { migrate, type RunOptions, type RunSummary, runEtl, verify } from "etl-lib";
import fc from "fast-check";
import { event, json } from "../../testing/lab/events.js";
import { expectIdentity } from "../../testing/lab/identity.js";
import { BRIEF, counts } from "../../testing/lab/lab.js";
import { dyingPool } from "../../testing/lab/pools.js";
import { TimedBucket } from "../../testing/lab/timed-bucket.js";
import { startPostgres, type TestDatabase } from "../../testing/postgres.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse("2026-03-10T09:05:00Z");
const LOOKBACK = { hours: 12, recentHours: 2 };

const hourPrefix = (time: number) =>
  `events/${new Date(time).toISOString().slice(0, 13).replace(/[-T]/g, "/")}/`;
const dayPrefix = (time: number) => hourPrefix(time).slice(0, -3);

describe("integration: the look-back", function () {
  this.timeout(600_000);
  let db: TestDatabase;
  let bucket: TimedBucket;
  let written: number;

  before(async () => {
    db = await (await startPostgres()).createDatabase();
    await migrate(db.pool);
  });
  after(() => db.drop());
  const reset = async () => {
    await db.pool.query(`TRUNCATE public.clickstream_events, public.clickstream_event_details, etl.loaded_hours, etl.objects, etl.sealed, etl.listings, etl.lookbacks, etl.runs,
      etl.rejects, dw.stale_hours`);
    bucket = new TimedBucket(START);
    written = 0;
  };
  beforeEach(reset);

  const run = (options: Partial<RunOptions> = {}): Promise<RunSummary> => {
    bucket.listed = [];
    return runEtl({
      source: bucket,
      pool: db.pool,
      window: null,
      lookback: LOOKBACK,
      trigger: "schedule",
      retry: BRIEF,
      rollups: false,
      clock: () => bucket.now,
      ...options,
    });
  };
  /** Writes one event, into the hour that lies so many hours back. */
  const put = (hoursBack = 0, name = `event-${written}.json`) => {
    const at = bucket.now - hoursBack * HOUR;
    const key = `${hourPrefix(at)}${name}`;
    bucket.put(key, json(event(written++, { _ingest: { receivedAt: new Date(at).toISOString() } })));
    return key;
  };
  const rows = async () =>
    (await db.pool.query("SELECT count(*)::int AS n FROM public.clickstream_events")).rows[0].n;
  const state = async () => (await db.pool.query("SELECT * FROM etl.lookbacks")).rows[0];
  const hoursListed = () => bucket.listed.filter((prefix) => !prefix.endsWith("*")).length;
  const isSweep = () => hoursListed() > 10;

  it("the first run sweeps; the next ones list the newest hours and the days they lie in", async () => {
    for (let back = 0; back <= 12; back++) put(back);
    expect((await run()).objects).to.include({ listed: 13, loaded: 13, unlisted: 0 });
    expect(await state()).to.include({ sweep_started_at: null, run_id: null });
    bucket.now += HOUR;
    put(2);
    expect((await run()).objects).to.include({ listed: 3, loaded: 1 });
    const [newest, one, two] = [0, 1, 2].map((back) => hourPrefix(bucket.now - back * HOUR));
    expect(bucket.listed).to.have.members([`${dayPrefix(bucket.now)}*`, newest, one, two]);
  });

  it("lists all that no run has listed since it was new, however many were skipped", async () => {
    await run();
    bucket.now += 7 * HOUR;
    for (let back = 0; back <= 7; back++) put(back);
    const summary = await run();
    expect(summary.objects).to.include({ listed: 8, loaded: 8 });
    expect(hoursListed()).to.be.within(8, 10);
  });

  it("sweeps once a day, and finds what came late or was overwritten", async () => {
    const overwritten = put(11);
    await run();
    const sweeps: number[] = [];
    for (let hour = 1; hour <= 50; hour++) {
      bucket.now += HOUR;
      if (hour === 3) put(9);
      if (hour === 3) bucket.put(overwritten, json(event(written++)));
      await run();
      if (isSweep()) sweeps.push(hour);
      if (hour === 24) expect(await rows()).to.equal(3);
    }
    expect(sweeps).to.deep.equal([24, 48]);
  });

  it("finds by the next sweep what was written at the look-back's end right after the last one", async () => {
    await run();
    bucket.now += 60_000;
    put(LOOKBACK.hours - 0.1);
    bucket.now += DAY;
    expect((await run()).objects).to.include({ loaded: 1 });
  });

  it("a run that failed is followed by a sweep", async () => {
    await run();
    bucket.now += HOUR;
    bucket.failsAfter = 1;
    expect((await run()).status).to.equal("failed");
    bucket.failsAfter = null;
    bucket.now += HOUR;
    await run();
    expect(isSweep()).to.equal(true);
    bucket.now += HOUR;
    await run();
    expect(isSweep()).to.equal(false);
  });

  it("a sweep that is cut short goes on where it was, and ends", async () => {
    for (let back = 0; back <= 12; back++) for (let n = 0; n < 20; n++) put(back);
    let runs = 0;
    let listed = 0;
    let last: RunSummary;
    do {
      const onProgress = () => {
        bucket.now += 100;
      };
      last = await run({ timeBudgetMs: 6500, onProgress });
      listed += last.objects.listed;
      expect(last.status).to.equal(
        last.objects.unlisted + last.objects.remaining > 0 ? "partial" : "succeeded",
      );
      bucket.now += HOUR / 60;
    } while (++runs < 40 && (await state()).sweep_started_at !== null);
    expect(runs).to.be.within(2, 39);
    expect(await rows()).to.equal(260);
    expect(listed / runs, "hours but the newest are not listed again by each run").to.be.below(200);
  });

  it("an object that cannot be read is tried by each run, and costs its own hour", async () => {
    const key = put(8);
    bucket.broken.add(key);
    expect((await run()).objects).to.include({ failed: 1 });
    bucket.now += HOUR;
    expect((await run()).objects).to.include({ failed: 1 });
    expect(isSweep()).to.equal(false);
    bucket.broken.clear();
    bucket.now += HOUR;
    expect((await run()).objects).to.include({ failed: 0, loaded: 1 });
  });

  it("a dry run takes all of the look-back and notes nothing", async () => {
    put(10);
    expect((await run({ dryRun: true })).objects).to.include({ listed: 1, loaded: 1 });
    expect(await state()).to.equal(undefined);
  });

  describe("the sealed ledger", () => {
    const ledgerRows = async () =>
      (await db.pool.query("SELECT count(*)::int AS n FROM etl.objects")).rows[0].n;
    const window = () => ({ from: new Date(START - DAY), to: new Date(START) });
    const backfill = (options: Partial<RunOptions> = {}) =>
      run({ lookback: undefined, window: window(), ...options });

    /** Two days later nothing looks back to what was loaded at first. */
    async function seal(): Promise<void> {
      await run();
      for (let day = 1; day <= 2; day++) {
        bucket.now += DAY;
        await run();
      }
    }

    beforeEach(() => {
      for (let back = 0; back < 9; back++) for (let n = 0; n < 7; n++) put(back);
      bucket.put(`${dayPrefix(START)}flat-${written}.json`, json(event(written++)));
      bucket.put(`${dayPrefix(START)}_late/${written}.json`, json(event(written++)));
    });

    it("holds one row for each folder, with the sums of its objects", async () => {
      await seal();
      expect(await ledgerRows()).to.equal(0);
      const { rows: sealed } = await db.pool.query(
        "SELECT prefix, objects::int, inserted::int, duplicates::int FROM etl.sealed ORDER BY prefix DESC",
      );
      expect(sealed).to.have.length(12 - 1);
      expect(sealed[0]).to.deep.equal({
        prefix: `${dayPrefix(START)}_late/`,
        objects: 1,
        inserted: 1,
        duplicates: 0,
      });
      await expectIdentity(db.pool);
    });

    it("is verified by its fingerprint", async () => {
      await seal();
      const whole = await verify(db.pool, { source: bucket, window: window() });
      expect(whole.gaps).to.deep.equal([]);
      expect(whole.hours.reduce((sum, { loaded }) => sum + loaded, 0)).to.equal(written);
      expect(whole.hours.reduce((sum, { inserted }) => sum + inserted, 0)).to.equal(written);
      const folder = hourPrefix(START - 3 * HOUR);
      bucket.put(`${folder}late.json`, json(event(written++)));
      const { gaps } = await verify(db.pool, { source: bucket, window: window() });
      expect(gaps.map(({ kind, key }) => [kind, key])).to.deep.equal([["seal_mismatch", folder]]);
    });

    it("a backfill over it reads nothing while it holds what it held", async () => {
      await seal();
      bucket.reads = 0;
      const summary = await backfill();
      expect([summary.status, bucket.reads]).to.deep.equal(["skipped", 0]);
      expect(summary.objects).to.include({ listed: written, alreadyLoaded: written });
    });

    it("a backfill reads an hour again that has changed, and what is there counts as a duplicate", async () => {
      await seal();
      bucket.put(`${hourPrefix(START - 3 * HOUR)}late.json`, json(event(written++)));
      const summary = await backfill();
      expect(summary.events).to.deep.equal(counts(8, 1, 7));
      expect(await rows()).to.equal(written);
      expect(await ledgerRows(), "and it is sealed again").to.equal(0);
      await expectIdentity(db.pool);
      expect((await backfill()).status).to.equal("skipped");
    });

    it("a backfill of it that was cut short goes on", async () => {
      await seal();
      bucket.put(`${hourPrefix(START - 3 * HOUR)}late.json`, json(event(written++)));
      for (let tries = 0; tries < 30; tries++) {
        let pages = 0;
        bucket.onPage = () => {
          if (++pages === 5 + tries) bucket.now += 60_000;
        };
        await backfill({ timeBudgetMs: 60_000, batchRows: 2 });
      }
      bucket.onPage = () => {};
      await backfill();
      expect(await rows()).to.equal(written);
      await expectIdentity(db.pool);
      expect((await backfill()).status).to.equal("skipped");
    });

    it("single objects are read again: by a reload, and after a fix what was rejected", async () => {
      const key = `${hourPrefix(START - 2 * HOUR)}bad.json`;
      bucket.put(key, json({ no: "name" }));
      await seal();
      const { rows: kept } = await db.pool.query("SELECT key, rejected::int FROM etl.objects");
      expect(kept, "what quarantine holds something of keeps its row").to.deep.equal([{ key, rejected: 1 }]);
      expect((await backfill()).status, "and is part of the seal").to.equal("skipped");
      const one = { ...bucket, bucket: bucket.bucket, read: bucket.read.bind(bucket) };
      const only = (wanted: string) => ({
        ...one,
        async *list() {
          yield { objects: bucket.objects.filter((object) => object.key === wanted), folders: [] };
        },
      });
      const again = await run({ lookback: undefined, source: only(key), reload: true });
      expect(again.events).to.deep.equal(counts(1, 0, 0, 1));
      const other = bucket.objects.find((object) => object.key.includes("/event-")) as { key: string };
      const reloaded = await run({ lookback: undefined, source: only(other.key), reload: true });
      expect(reloaded.events).to.deep.equal(counts(1, 0, 1));
      await expectIdentity(db.pool);
      expect((await backfill()).status).to.equal("skipped");
    });
  });

  it("loads every object exactly once, whatever happens and in whatever order", async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("put" as const),
          back: fc.integer({ min: 0, max: LOOKBACK.hours - 1 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("overwrite" as const), which: fc.nat() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("break" as const), which: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("repair" as const) }) },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant("wait" as const),
          minutes: fc.constantFrom(10, 60, 60, 60, 300, 1440),
        }),
      },
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("run" as const),
          end: fc.constantFrom("well", "well", "cut", "failed", "killed"),
          after: fc.integer({ min: 0, max: 40 }),
        }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        await reset();
        await run();
        for (const action of steps) {
          if (action.kind === "put") put(action.back);
          else if (action.kind === "overwrite") overwrite(action.which);
          else if (action.kind === "break") breakOne(action.which);
          else if (action.kind === "repair") bucket.broken.clear();
          else if (action.kind === "wait") {
            if (action.minutes > 60) bucket.broken.clear();
            bucket.now += action.minutes * 60_000;
          } else await runUntil(action.end, action.after);
        }
        await expectAllLoaded();
      }),
      { numRuns: 60 },
    );
  });

  /** Of the same hour as before, as long as the look-back reaches it. */
  function overwrite(which: number): void {
    const within = bucket.objects.filter(({ key }) => hourOf(key) > bucket.now - LOOKBACK.hours * HOUR);
    const { key } = within[which % within.length] ?? {};
    if (key) bucket.put(key, json(event(written++)));
  }

  function breakOne(which: number): void {
    const { key } = bucket.objects[which % bucket.objects.length] ?? {};
    if (key) bucket.broken.add(key);
  }

  const hourOf = (key: string) =>
    Date.parse(`${key.slice(7, 17).replaceAll("/", "-")}T${key.slice(18, 20)}:00:00Z`);

  async function runUntil(end: string, after: number): Promise<void> {
    let pages = 0;
    if (end === "failed") bucket.failsAfter = after;
    if (end === "cut")
      bucket.onPage = () => {
        if (++pages === after) bucket.now += 57_000;
      };
    const options = end === "killed" ? { pool: dyingPool(db.pool, after) } : {};
    await run({ timeBudgetMs: 60_000, batchRows: 2, ...options });
    bucket.failsAfter = null;
    bucket.onPage = () => {};
  }

  /** Once everything is repaired, a day brings all that is there, and each version only once. */
  async function expectAllLoaded(): Promise<void> {
    bucket.broken.clear();
    for (const hours of [0, 1, 24, 24, 1]) {
      bucket.now += hours * HOUR;
      await run();
    }
    const { rows: sums } = await db.pool.query(
      `SELECT coalesce(sum(inserted), 0)::int AS inserted, coalesce(sum(duplicates), 0)::int AS duplicates
       FROM (SELECT inserted, duplicates FROM etl.objects UNION ALL SELECT inserted, duplicates FROM etl.sealed) AS ledger`,
    );
    expect(sums[0]).to.deep.equal({ inserted: await rows(), duplicates: 0 });
    await expectCurrentLoaded();
  }

  async function expectCurrentLoaded(): Promise<void> {
    const wanted: string[] = [];
    for (const object of bucket.objects)
      for await (const bytes of bucket.read(object))
        wanted.push(JSON.parse(Buffer.from(bytes).toString()).eventId);
    const { rows: lacking } = await db.pool.query(
      `SELECT id FROM unnest($1::uuid[]) AS t (id)
       WHERE NOT EXISTS (SELECT FROM public.clickstream_events e WHERE e.event_id = t.id)`,
      [wanted],
    );
    expect(lacking, "objects that are not loaded").to.deep.equal([]);
  }
});
