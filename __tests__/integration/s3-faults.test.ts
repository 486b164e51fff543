import { expect } from "chai";
import { s3Source } from "etl-lib/s3";
import { dayKey, event, events, hourKey, json, ndjson } from "../../testing/lab/events.js";
import { counts, type Lab, openLab, PATIENT } from "../../testing/lab/lab.js";
import {
  before as beforeAnswer,
  type Effect,
  gets,
  halfWay,
  hang,
  refuse,
  reset,
  type S3Request,
  slowDown,
  truncateAfter,
} from "../../testing/s3/s3.js";

/** Streamed, and read on from where a transfer broke off. */
const LARGE = 12_000;
const HALF = 1_500_000;
const lists = ({ operation }: S3Request): boolean => operation === "ListObjectsV2";

describe("integration: S3 fails in the middle of a run", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
  });
  afterEach(() => lab.close());

  /** Objects 0 to n - 1 with one event each. */
  function putEvents(n: number): void {
    for (let id = 0; id < n; id++)
      lab.s3.put(hourKey(`${String(id).padStart(4, "0")}.json`), json(event(id)));
  }

  const TROUBLE: readonly [name: string, effect: Effect][] = [
    ["answers 503 SlowDown", slowDown()],
    ["answers 500 InternalError", refuse(500, "InternalError")],
    ["resets connections", reset()],
    ["truncates bodies", truncateAfter(100)],
  ];
  for (const [name, effect] of TROUBLE)
    it(`${name}, a few times, to lists and to reads`, async () => {
      putEvents(300);
      lab.s3.put(dayKey("large.ndjson"), ndjson(events(0, LARGE)));
      const onLists = lab.s3.fault(effect, { when: lists, times: 2 });
      const onLarge = lab.s3.fault(effect, { when: gets(dayKey("large.ndjson")), times: 3 });
      const onSmall = lab.s3.fault(effect, { when: gets(), times: 20 });
      const { status, events: loaded } = await lab.run({ batchRows: 100, retry: PATIENT });
      expect([status, loaded]).to.deep.equal(["succeeded", counts(LARGE + 300, LARGE, 300)]);
      expect([onLists.hits, onLarge.hits, onSmall.hits]).to.deep.equal([2, 3, 20]);
    });

  it("stops answering: the read is given up after its time-out and tried again", async function () {
    this.slow(60_000);
    const large = dayKey("04-large.ndjson"); // before hour 05, so that both wait at the same time
    putEvents(1);
    lab.s3.put(large, ndjson(events(0, LARGE)));
    lab.s3.fault(hang(), { when: gets(hourKey("0000.json")), times: 1 });
    lab.s3.fault(
      halfWay(HALF, () => new Promise(() => {})),
      { when: gets(large), times: 1 },
    );
    expect((await lab.run()).events).to.deep.equal(counts(LARGE + 1, LARGE, 1));
    expect(lab.s3.requests.filter(gets())).to.have.length(4);
  });

  it("breaks a large transfer off several times: each goes on where the last one ended", async () => {
    lab.s3.put(dayKey("large.ndjson"), ndjson(events(0, LARGE)));
    const cuts = lab.s3.fault(truncateAfter(HALF / 2), { when: gets(), times: 4 });
    const { events: loaded } = await lab.run();
    expect([cuts.hits, loaded]).to.deep.equal([4, counts(LARGE, LARGE)]);
    expect(lab.s3.requests.filter(gets()).map(({ status }) => status)).to.deep.equal([
      null,
      null,
      null,
      null,
      206,
    ]);
  });

  it("is out in the middle of the run, and comes back", async () => {
    putEvents(400);
    let answered = 0;
    let refused = 0;
    const outage = lab.s3.fault((exchange) => {
      if (++answered <= 150) return false;
      if (++refused > 30) outage.lift();
      return reset()(exchange);
    });
    const { status, events: loaded } = await lab.run({
      batchRows: 50,
      retry: { ...PATIENT, maxDelayMs: 40 },
    });
    expect([status, loaded]).to.deep.equal(["succeeded", counts(400, 400)]);
    expect(refused).to.be.above(30);
  });

  for (const [where, when] of [
    ["lists", lists],
    ["reads", gets()],
  ] as const)
    it(`is down for ${where} all the time: the run fails in a sentence, the next one completes`, async () => {
      putEvents(100);
      const down = lab.s3.fault(slowDown(), { when });
      const failed = await lab.run({ batchRows: 20 });
      expect(failed).to.include({ status: "failed" });
      expect(failed.events).to.deep.equal(counts(0, 0));
      expect(failed.error).to.include({ kind: "retriable", stage: "extract" });
      expect(failed.error?.message).to.match(/^S3 (did not list|answered SlowDown for)/);
      expect(await lab.count()).to.equal(0);
      down.lift();
      expect((await lab.run()).events).to.deep.equal(counts(100, 100));
    });

  it("cannot be reached at all", async () => {
    await lab.s3.stop();
    const failed = await lab.run();
    expect(failed).to.include({ status: "failed" });
    expect(failed.error).to.include({ kind: "retriable", stage: "extract", object: null });
    expect(failed.error?.message).to.match(/^S3 did not list clickstream-s3-ingest: .*ECONNREFUSED/);
  });

  it("always refuses one object: everything else goes on, and a later run finds it", async () => {
    putEvents(50);
    const refused = lab.s3.fault(refuse(403, "AccessDenied"), { when: gets(hourKey("0025.json")) });
    for (const objects of [
      { listed: 50, alreadyLoaded: 0, loaded: 49, failed: 1, remaining: 0, unlisted: 0 },
      { listed: 50, alreadyLoaded: 49, loaded: 0, failed: 1, remaining: 0, unlisted: 0 },
    ]) {
      const summary = await lab.run({ batchRows: 20 });
      expect([summary.status, summary.objects]).to.deep.equal(["partial", objects]);
      expect(summary.error).to.deep.equal({
        kind: "fatal",
        stage: "extract",
        message: `S3 refused to deliver ${hourKey("0025.json")} (AccessDenied): allow s3:GetObject on it.`,
        object: `${lab.s3.bucket}/${hourKey("0025.json")}`,
      });
    }
    refused.lift();
    expect((await lab.run()).events).to.deep.equal(counts(1, 1));
  });

  it("refuses more objects here and there than it may in a row", async () => {
    putEvents(100);
    const archived = [3, 4, 5, 17, 40, 41, 42, 77, 99].map((n) =>
      hourKey(`00${String(n).padStart(2, "0")}.json`),
    );
    lab.s3.fault(refuse(403, "InvalidObjectState"), {
      when: (request) => gets()(request) && archived.includes(request.key),
    });
    const { status, objects } = await lab.run();
    expect([status, objects.loaded, objects.failed]).to.deep.equal(["partial", 91, 9]);
  });

  it("refuses every object: the run fails with the permission that is missing, and asks for each but once", async () => {
    putEvents(200);
    lab.s3.fault(refuse(403, "AccessDenied"), { when: gets() });
    const failed = await lab.run();
    expect([failed.status, failed.events]).to.deep.equal(["failed", counts(0, 0)]);
    expect(failed.error?.message).to.include("allow s3:GetObject");
    expect(failed.objects).to.include({ failed: 200, remaining: 0 });
    expect(lab.s3.requests.filter(gets())).to.have.length(200);
  });

  it("refuses hundreds in a row: the good ones behind them are loaded, and no run is in their way", async () => {
    putEvents(600);
    lab.s3.fault(refuse(403, "AccessDenied"), {
      when: (request) => gets()(request) && request.key < hourKey("0500.json"),
    });
    const { status, objects, error } = await lab.run({ batchRows: 150 });
    expect([status, objects.loaded, objects.failed]).to.deep.equal(["partial", 100, 500]);
    expect(error?.message).to.include("allow s3:GetObject");
  });

  for (const [what, isGone] of [
    ["every second of 400", (id: number) => id % 2 === 1],
    ["the first 300 of 400", (id: number) => id < 300],
  ] as const)
    it(`has ${what} objects removed since the listing: each is asked for once, the others load`, async () => {
      putEvents(400);
      const gone = Array.from({ length: 400 }, (_, id) => id).filter(isGone);
      lab.s3.fault(
        beforeAnswer(() => {
          for (const id of gone) lab.s3.remove(hourKey(`${String(id).padStart(4, "0")}.json`));
        }),
        { when: gets(), times: 1 },
      );
      const { status, objects } = await lab.run({ concurrency: 1 });
      expect([status, objects.loaded, objects.remaining]).to.deep.equal([
        "partial",
        400 - gone.length,
        gone.length,
      ]);
      expect(lab.s3.requests.filter(gets())).to.have.length(400);
      expect((await lab.run()).objects).to.include({ listed: 400 - gone.length, loaded: 0 });
    });

  it("loses a large object in the middle for good: nothing of it stays, its neighbours do, none is read twice", async () => {
    const key = hourKey("0001-large.ndjson");
    putEvents(4);
    lab.s3.put(key, `bad\n${ndjson(events(100, 100 + LARGE))}`);
    for (const dryRun of [true, false]) {
      lab.s3.fault(truncateAfter(HALF), { when: gets(key), times: 1 });
      const lost = lab.s3.fault(refuse(403, "AccessDenied"), { when: gets(key) });
      const first = await lab.run({ batchRows: 500, dryRun });
      expect([first.status, first.objects.loaded, first.objects.failed]).to.deep.equal(["partial", 4, 1]);
      expect([first.events, first.rejects, first.warnings]).to.deep.equal([counts(4, 4), {}, {}]);
      lost.lift();
    }
    expect(await lab.count()).to.equal(4);
    expect(await lab.row("SELECT count(*)::int AS n FROM etl.rejects")).to.deep.equal({ n: 0 });
    expect(lab.s3.requests.filter((request) => gets()(request) && request.key !== key)).to.have.length(8);
    expect((await lab.run()).events).to.deep.equal(counts(LARGE + 1, LARGE, 0, 1));
  });

  it("has an object removed, and another replaced, between listing and reading", async () => {
    putEvents(10);
    lab.s3.fault(
      beforeAnswer(() => {
        lab.s3.remove(hourKey("0003.json"));
        lab.s3.put(hourKey("0004.json"), json([event(4), event(100)]));
      }),
      { when: gets(), times: 1 },
    );
    const first = await lab.run();
    expect([first.status, first.objects.loaded, first.objects.remaining]).to.deep.equal(["partial", 8, 2]);
    expect(first.error).to.equal(null);
    const second = await lab.run();
    expect([second.status, second.events]).to.deep.equal(["succeeded", counts(2, 2)]);
    expect(await lab.count()).to.equal(10);
  });

  it("has a large object replaced while it is read: never half of one version and half of another", async () => {
    const key = dayKey("large.ndjson");
    putEvents(3);
    lab.s3.put(key, ndjson(events(1000, 1000 + LARGE)));
    lab.s3.fault(truncateAfter(HALF), { when: gets(key), times: 1 });
    lab.s3.fault(
      beforeAnswer(() => lab.s3.put(key, ndjson(events(50_000, 50_000 + LARGE)))),
      { when: gets(key), times: 1 },
    );
    const first = await lab.run({ batchRows: 500 });
    expect([first.status, first.objects.remaining, await lab.count()]).to.deep.equal(["partial", 1, 3]);
    expect((await lab.run()).events).to.deep.equal(counts(LARGE, LARGE));
  });

  it("is not the bucket, or not ours: a sentence says so", async () => {
    const { client } = lab.s3;
    const elsewhere = s3Source({ client, bucket: "no-such-bucket" });
    const missing = await lab.runWith(elsewhere);
    expect(missing.error).to.deep.include({
      kind: "fatal",
      message: "The bucket no-such-bucket does not exist: check RAW_BUCKET or --source.",
    });
    lab.s3.fault(refuse(403, "AccessDenied"));
    const refused = await lab.run();
    expect(refused.error).to.deep.include({
      kind: "fatal",
      message:
        "S3 refused to list clickstream-s3-ingest (AccessDenied): allow s3:ListBucket, or check the credentials.",
    });
  });
});
