import { expect } from "chai";
import { runEtl, type Source, type SourceObject, type SourcePage } from "etl-lib";
import { MemorySource } from "../../testing/etl-lib/memory-source.js";
import { dayKey, event, events, hourKey, json, ndjson } from "../../testing/lab/events.js";
import { counts, type Lab, openLab } from "../../testing/lab/lab.js";

/** A bucket that a clock stands beside: each page, and each 64 KiB of an object, takes its time. */
class SlowSource extends MemorySource {
  now = 0;
  readonly clock = () => this.now;
  pageMs = 0;
  readonly pieceMs = new Map<string, number>();

  override async *list(prefix: string, options = {}): AsyncGenerator<SourcePage> {
    for await (const page of super.list(prefix, options)) {
      this.now += this.pageMs;
      yield page;
    }
  }

  override async *read(object: SourceObject): AsyncGenerator<Uint8Array> {
    for await (const piece of super.read(object)) {
      this.now += this.pieceMs.get(object.key) ?? 0;
      yield piece;
    }
  }
}

describe("integration: the time budget of a run", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
  });
  afterEach(() => lab.close());

  const run = (source: SlowSource, timeBudgetMs: number | undefined) =>
    runEtl({
      source: source as Source,
      pool: lab.db.pool,
      window: null,
      trigger: "manual",
      clock: source.clock,
      timeBudgetMs,
    });
  const small = (n: number) =>
    Array.from({ length: n }, (_, id) => ({
      key: hourKey(`${String(id).padStart(3, "0")}.json`),
      content: json(event(id)),
    }));

  it("holds within a listing: what is found in time is loaded, and the rest by the next runs", async () => {
    const source = new SlowSource(small(100), 1);
    source.pageMs = 50;
    const first = await run(source, 1000);
    expect([first.status, first.error]).to.deep.equal(["partial", null]);
    expect(first.objects.loaded).to.be.within(1, 25);
    source.pageMs = 0;
    expect((await run(source, 1000)).objects.alreadyLoaded).to.equal(first.objects.loaded);
    expect(await lab.count()).to.equal(100);
  });

  it("lets a run load what one slow page brought, though the page took all of it", async () => {
    const source = new SlowSource([{ key: hourKey("a.ndjson"), content: ndjson(events(0, 10)) }]);
    source.pageMs = 3000;
    expect((await run(source, 1000)).events).to.deep.equal(counts(10, 10));
  });

  it("breaks off an object that takes too long, names it, loads those behind it, and reads it last from then on", async () => {
    const large = dayKey("large.ndjson");
    const source = new SlowSource([{ key: large, content: ndjson(events(1000, 13_000)) }, ...small(50)]);
    source.pieceMs.set(large, 100); // some 6 s in all
    const first = await run(source, 4000);
    expect([first.status, first.events, first.objects.remaining]).to.deep.equal([
      "partial",
      counts(50, 50),
      1,
    ]);
    expect(first.error?.message).to.match(/large\.ndjson was not finished in the 2\.0 s it had/);
    expect(first.error?.object).to.equal(`raw/${large}`);

    const second = await run(source, 4000);
    expect(second.error?.message).to.match(/large\.ndjson was not finished in the 4\.0 s it had/);
    expect(second.events).to.deep.equal(counts(0, 0));
    expect((await lab.row("SELECT count(*)::int AS n FROM etl.rejects")).n).to.equal(0);

    const third = await run(source, 10_000);
    expect([third.status, third.events]).to.deep.equal(["succeeded", counts(12_000, 12_000)]);
  });

  it("does not lose an object that was broken off: a run without a budget loads it as well", async () => {
    const large = dayKey("large.ndjson");
    const source = new SlowSource([{ key: large, content: ndjson(events(1000, 13_000)) }]);
    source.pieceMs.set(large, 100);
    expect((await run(source, 1000)).objects).to.include({ loaded: 0, remaining: 1 });
    expect((await run(source, undefined)).events).to.deep.equal(counts(12_000, 12_000));
  });

  it("waits for no answer that does not come: what was read before it is loaded", async () => {
    const source = new SlowSource(small(10));
    const hangs = hourKey("007.json");
    const pool = lab.db.pool;
    const hanging: Source = {
      bucket: source.bucket,
      list: (...args) => source.list(...args),
      read: (object) => (object.key === hangs ? never() : source.read(object)),
    };
    const first = await runEtl({
      source: hanging,
      pool,
      window: null,
      trigger: "manual",
      timeBudgetMs: 1500,
    });
    expect([first.status, first.error]).to.deep.equal(["partial", null]);
    expect(first.objects).to.include({ loaded: 7, remaining: 3 });
    expect((await run(source, undefined)).events).to.deep.equal(counts(3, 3));
  });
});

async function* never(): AsyncGenerator<Uint8Array> {
  await new Promise(() => {});
}
