import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { migrate, type RunOptions, type RunSummary, runEtl, type Source, verify } from "etl-lib";
import fc from "fast-check";
import { event, json } from "../../testing/lab/events.js";
import { expectIdentity } from "../../testing/lab/identity.js";
import { BRIEF } from "../../testing/lab/lab.js";
import { dyingPool, pausedBefore } from "../../testing/lab/pools.js";
import { TimedBucket } from "../../testing/lab/timed-bucket.js";
import { startPostgres, type TestDatabase } from "../../testing/postgres.js";

const NOW = Date.parse("2026-03-10T09:05:00Z");
const DAY = { from: new Date("2026-03-04"), to: new Date("2026-03-05") };
const FOLDERS = ["", "22/", "23/", "_late/"].map((folder) => `events/2026/03/04/${folder}`);

describe("integration: backfills of days whose ledger is sealed", function () {
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
    await db.pool.query(`TRUNCATE public.clickstream_events, public.clickstream_event_details, etl.loaded_hours, etl.objects, etl.sealed, etl.listings, etl.lookbacks,
      etl.runs, etl.rejects, dw.stale_hours`);
    await db.pool.query(
      "INSERT INTO etl.lookbacks (bucket, since, swept_at, sealed_to) VALUES ('timed', now(), now(), '2026-03-07')",
    );
    bucket = new TimedBucket(NOW);
    written = 0;
  };
  beforeEach(reset);

  const put = (folder: string, name = `event-${written}.json`) => {
    const receivedAt = "2026-03-04T22:10:00.000Z";
    bucket.put(`${folder}${name}`, json(event(written++, { _ingest: { receivedAt } })));
  };
  const run = (options: Partial<RunOptions> = {}): Promise<RunSummary> =>
    runEtl({
      source: bucket,
      pool: db.pool,
      window: DAY,
      trigger: "manual",
      retry: BRIEF,
      rollups: false,
      batchRows: 3,
      clock: () => bucket.now,
      ...options,
    });
  const gaps = async () => (await verify(db.pool, { source: bucket, window: DAY })).gaps;
  const expectWhole = async () => {
    expect(await gaps()).to.deep.equal([]);
    await expectIdentity(db.pool);
    for (const object of bucket.objects)
      for await (const bytes of bucket.read(object)) {
        const { eventId } = JSON.parse(Buffer.from(bytes).toString());
        const found = await db.pool.query("SELECT FROM public.clickstream_events WHERE event_id = $1", [
          eventId,
        ]);
        expect(found.rowCount, object.key).to.equal(1);
      }
  };

  it("a run reads nothing that another has loaded and sealed since it was listed", async () => {
    for (const folder of FOLDERS) for (let n = 0; n < 5; n++) put(folder);
    let other: Promise<RunSummary> | undefined;
    async function* list(...args: Parameters<Source["list"]>) {
      yield* bucket.list(...args);
      other ??= run();
      await other;
    }
    const late = await run({ source: { ...source(), list }, batchRows: 1000 });
    expect((await other)?.events).to.include({ read: 20, inserted: 20 });
    expect(late.events.read).to.equal(0);
    expect(late, "it does not know what of it is loaded").to.include({ status: "partial", error: null });
    expect(late.objects).to.include({ listed: 20, alreadyLoaded: 5, remaining: 15 });
    expect((await run()).status).to.equal("skipped");
    await expectWhole();
  });

  it("a folder is sealed when no other run is about to commit something of it", async () => {
    const folder = FOLDERS[1] as string;
    put(folder, "first.json");
    put(folder, "last.json");
    const only = (name: string): Source => ({
      ...source(),
      async *list(...args) {
        for await (const { objects, folders } of bucket.list(...args))
          yield { objects: objects.filter(({ key }) => key.endsWith(name)), folders };
      },
    });
    let other: Promise<RunSummary> | undefined;
    let isOver = false;
    const pool = pausedBefore(db.pool, "COMMIT", async () => {
      other ??= run({ source: only("first.json") }).finally(() => {
        isOver = true;
      });
      while (!isOver && !(await isLockAwaited())) await sleep(5);
    });
    const last = await run({ source: only("last.json"), pool });
    expect([last.status, (await other)?.status]).to.deep.equal(["succeeded", "succeeded"]);
    await expectWhole();
  });

  const isLockAwaited = async () => {
    const { rowCount } = await db.pool.query(
      "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
    );
    return rowCount !== 0;
  };

  it("a folder in which something could not be read keeps its rows, so that what is read again is that alone", async () => {
    for (const folder of FOLDERS) for (let n = 0; n < 3; n++) put(folder);
    const [, , broken] = bucket.objects;
    bucket.broken.add(broken?.key ?? "");
    expect((await run()).objects).to.include({ loaded: 11, failed: 1 });
    expect((await gaps()).map(({ kind, key }) => [kind, key])).to.deep.equal([["missing", broken?.key]]);
    bucket.broken.clear();
    expect((await run()).events).to.include({ read: 1, inserted: 1, duplicates: 0 });
    await expectWhole();
    expect((await run()).status, "and then it is sealed as well").to.equal("skipped");
  });

  it("whatever runs at once, is killed or comes late: a backfill that ends well is verified", async () => {
    const folder = fc.constantFrom(...FOLDERS);
    const at = fc.integer({ min: 0, max: 120 });
    const step = fc.oneof(
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("put" as const),
          folder,
          count: fc.integer({ min: 1, max: 9 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("overwrite" as const), which: fc.nat() }) },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant("runs" as const),
          runs: fc.array(
            fc.record({
              delayMs: fc.constantFrom(0, 3, 10, 30),
              killedAfter: fc.option(at),
              reload: fc.boolean(),
              latecomer: fc.option(at),
            }),
            { minLength: 1, maxLength: 3 },
          ),
        }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
        await reset();
        for (const action of steps) {
          bucket.now += 1000;
          if (action.kind === "put") for (let n = 0; n < action.count; n++) put(action.folder);
          else if (action.kind === "overwrite") overwrite(action.which);
          else await Promise.all(action.runs.map(play));
        }
        await runsUntilAllIsLoaded();
        await expectWhole();
        expect((await run()).status, "nothing is left").to.equal("skipped");
      }),
      { numRuns: 60 },
    );
  });

  /** Two at once, as often as one of them leaves something to the next. */
  async function runsUntilAllIsLoaded(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      const both = await Promise.all([run(), run({ source: delayed(5) })]);
      for (const { errors } of both) expect(errors).to.deep.equal([]);
      if (both.every(({ status }) => status !== "partial")) return;
    }
    expect.fail("something is left for ever");
  }

  function overwrite(which: number): void {
    const { key } = bucket.objects[which % bucket.objects.length] ?? {};
    if (key) bucket.put(key, json(event(written++, { _ingest: { receivedAt: "2026-03-04T22:10:00.000Z" } })));
  }

  const source = (): Source => ({
    bucket: bucket.bucket,
    list: (...args) => bucket.list(...args),
    read: (object) => bucket.read(object),
  });
  const delayed = (ms: number): Source => ({
    ...source(),
    read: (object) => readAfter(sleep(Math.random() * ms), () => bucket.read(object)),
  });

  async function* readAfter(
    waited: Promise<unknown>,
    read: () => AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    await waited;
    yield* read();
  }

  interface Play {
    readonly delayMs: number;
    readonly killedAfter: number | null;
    readonly reload: boolean;
    readonly latecomer: number | null;
  }

  async function play({ delayMs, killedAfter, reload, latecomer }: Play): Promise<void> {
    let pages = 0;
    bucket.onPage = () => {
      if (++pages === latecomer) put(FOLDERS[latecomer % FOLDERS.length] as string);
    };
    const pool = killedAfter === null ? db.pool : dyingPool(db.pool, killedAfter);
    await run({ pool, reload, source: delayed(delayMs) });
    bucket.onPage = () => {};
  }
});
