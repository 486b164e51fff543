import { expect } from "chai";
import type { RunProgress } from "etl-lib";
import { dayKey, event, events, gzip, hourKey, json, ndjson } from "../../testing/lab/events.js";
import { counts, type Lab, openLab } from "../../testing/lab/lab.js";
import { gets, refuse, reset } from "../../testing/s3/s3.js";

describe("integration: dry runs and time budgets", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
  });
  afterEach(() => lab.close());

  /** Everything a run could leave behind. */
  const traces = () =>
    lab.row(
      `SELECT (SELECT count(*)::int FROM public.clickstream_events) AS rows, (SELECT count(*)::int FROM etl.objects) AS objects,
         (SELECT count(*)::int FROM etl.rejects) AS rejects, (SELECT count(*)::int FROM etl.runs) AS runs,
         (SELECT count(*)::int FROM dw.stale_hours) AS stale, (SELECT count(*)::int FROM pg_class WHERE relnamespace =
           pg_my_temp_schema()) AS temporary`,
    );

  function putMixture(): void {
    lab.s3.put(hourKey("within.json"), json([...events(0, 50), ...events(40, 60)]));
    lab.s3.put(hourKey("across.ndjson"), `${ndjson(events(55, 120))}{bad\n`);
    lab.s3.put(hourKey("zip.gz", "06"), gzip(json([event(1), event(200, { userId: 5 }), null, {}])));
    for (let n = 0; n < 30; n++) lab.s3.put(hourKey(`${n}.json`, "07"), json(event(110 + n)));
    lab.s3.put(dayKey("empty.json"), "");
  }

  for (const [state, prepare] of [
    ["an empty warehouse", () => undefined],
    [
      "a warehouse that has some of it",
      async () => {
        lab.s3.put(hourKey("before.json", "01"), json(events(30, 100)));
        await lab.run();
      },
    ],
  ] as const)
    it(`leaves nothing behind and counts what the run after it does, on ${state}`, async () => {
      await prepare();
      putMixture();
      const before = await traces();
      const dry = await lab.run({ dryRun: true, batchRows: 20 });
      expect(await traces()).to.deep.equal(before);
      const real = await lab.run({ batchRows: 20 });
      expect(dry.dryRun).to.equal(true);
      for (const part of ["status", "window", "objects", "events", "rejects", "warnings", "error"] as const)
        expect(dry[part], part).to.deep.equal(real[part]);
      expect(real.events).to.include({ rejected: 3, read: 170 });
      expect((await lab.run({ dryRun: true })).status).to.equal("skipped");
    });

  it("leaves an unreadable object out of a dry run as out of a run", async () => {
    putMixture();
    lab.s3.fault(refuse(403, "AccessDenied"), { when: gets(hourKey("across.ndjson")) });
    lab.s3.fault(reset(), { when: gets(), times: 3 });
    const dry = await lab.run({ dryRun: true });
    const real = await lab.run();
    expect([dry.status, dry.objects, dry.events]).to.deep.equal([real.status, real.objects, real.events]);
    expect(real.objects.failed).to.equal(1);
  });

  it("stops between two batches when its time is up; the next run loads the rest", async () => {
    for (let n = 0; n < 100; n++) lab.s3.put(hourKey(`${n}.json`), json([event(n), 1]));
    let now = 0;
    const clock = () => now;
    const onProgress = ({ objects }: RunProgress) => {
      if (objects.loaded > 0) now += 10; // a unit of work done, once all is listed
    };
    const first = await lab.run({ batchRows: 10, timeBudgetMs: 100, clock, onProgress });
    expect(first.status).to.equal("partial");
    expect(first.error).to.equal(null);
    expect(first.objects.loaded).to.be.above(0);
    expect(first.objects.remaining).to.be.above(0);
    const second = await lab.run();
    expect(second.status).to.equal("succeeded");
    expect(second.objects.alreadyLoaded).to.equal(first.objects.loaded);
    expect(first.events.inserted + second.events.inserted).to.equal(100);
    expect(await lab.count()).to.equal(100);
  });

  it("loads nothing with no time at all, and says so", async () => {
    lab.s3.put(hourKey("a.json"), json(event(1)));
    const { status, objects, events: loaded } = await lab.run({ timeBudgetMs: 0 });
    expect([status, objects.listed, loaded]).to.deep.equal(["partial", 0, counts(0, 0)]);
    expect(objects.unlisted).to.be.above(0);
  });
});
