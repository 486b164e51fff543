import { expect } from "chai";
import { dayKey, event, events, hourKey, json, ndjson, uuid } from "../../testing/lab/events.js";
import { counts, type Lab, openLab } from "../../testing/lab/lab.js";

describe("integration: the same event more than once", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
  });
  afterEach(() => lab.close());

  const ledger = async () =>
    (
      await lab.db.pool.query(
        "SELECT key, read::int, inserted::int, duplicates::int FROM etl.objects ORDER BY key, loaded_at",
      )
    ).rows;

  it("in one object, also when its chunks lie far apart", async () => {
    lab.s3.put(dayKey("a.json"), json([event(1), event(2), event(1, { userId: "later" }), event(1)]));
    lab.s3.put(dayKey("b.ndjson"), ndjson([...events(10, 600), ...events(10, 600)]));
    const { events: loaded } = await lab.run({ batchRows: 100 });
    expect(loaded).to.deep.equal(counts(1184, 592, 592));
    expect(
      (await lab.row(`SELECT user_id FROM public.clickstream_events WHERE event_id = '${uuid(1)}'`)).user_id,
    ).to.equal(null, "the first stays");
    expect(await ledger()).to.deep.equal([
      { key: dayKey("a.json"), read: 4, inserted: 2, duplicates: 2 },
      { key: dayKey("b.ndjson"), read: 1180, inserted: 590, duplicates: 590 },
    ]);
  });

  it("in two objects of a batch", async () => {
    lab.s3.put(hourKey("a.json"), json(events(0, 5)));
    lab.s3.put(hourKey("b.json"), json(events(3, 8)));
    expect((await lab.run()).events).to.deep.equal(counts(10, 8, 2));
    expect((await ledger()).map(({ inserted }) => inserted)).to.deep.equal([5, 3]);
  });

  it("in two batches of a run", async () => {
    for (let n = 0; n < 10; n++) lab.s3.put(hourKey(`${n}.json`), json(events(n * 10, n * 10 + 15)));
    expect((await lab.run({ batchRows: 2 })).events).to.deep.equal(counts(150, 105, 45));
    expect((await ledger()).map(({ inserted }) => inserted)).to.deep.equal([15, ...Array(9).fill(10)]);
  });

  it("in two runs, and once more as a whole batch that is there already", async () => {
    lab.s3.put(hourKey("a.json"), json(events(0, 100)));
    await lab.run();
    lab.s3.put(hourKey("b.json"), json(events(50, 150)));
    expect((await lab.run()).events).to.deep.equal(counts(100, 50, 50));
    lab.s3.put(hourKey("c.json"), json(events(0, 150)));
    const { status, events: loaded } = await lab.run();
    expect([status, loaded]).to.deep.equal(["succeeded", counts(150, 0, 150)]);
  });

  it("in an overwritten object whose new version holds old events and new ones", async () => {
    lab.s3.put(hourKey("a.json"), json(events(0, 10)));
    await lab.run();
    lab.s3.put(hourKey("a.json"), json(events(5, 20)));
    const { objects, events: loaded } = await lab.run();
    expect([objects, loaded]).to.deep.equal([
      { listed: 1, alreadyLoaded: 0, loaded: 1, failed: 0, remaining: 0, unlisted: 0 },
      counts(15, 10, 5),
    ]);
    expect(await ledger()).to.have.length(2);
    expect((await lab.run()).status).to.equal("skipped");
  });

  it("without an id of its own: it is the place that counts", async () => {
    const anonymous = { eventName: "click" };
    lab.s3.put(hourKey("a.json"), json([anonymous, anonymous]));
    lab.s3.put(hourKey("b.json"), json([anonymous]));
    expect((await lab.run()).events).to.deep.equal(counts(3, 3));
    lab.s3.put(hourKey("a.json"), json([anonymous, anonymous, anonymous]));
    expect((await lab.run()).events).to.deep.equal(counts(3, 1, 2));
  });

  it("as ids that differ in nothing but their case, and as text that is no UUID", async () => {
    const upper = { eventName: "x", eventId: "ABCDEFAB-0000-4000-8000-00000000000A" };
    const lower = { eventName: "x", event_id: "abcdefab-0000-4000-8000-00000000000a" };
    const text = { eventName: "x", eventId: "1733461200000-9f3a1c2b" };
    lab.s3.put(hourKey("a.json"), json([upper, lower, text, text]));
    expect((await lab.run()).events).to.deep.equal(counts(4, 2, 2));
  });

  it("arrives late, below an hour that was loaded long ago", async () => {
    lab.s3.put(hourKey("on-time.json", "01"), json(event(1)));
    await lab.run();
    const lastModified = new Date("2025-12-09T12:00:00Z");
    lab.s3.put(hourKey("late.json", "01"), json([event(1), event(2), { eventName: "x" }]), { lastModified });
    expect((await lab.run()).events).to.deep.equal(counts(3, 2, 1));
    const { n } = await lab.row(
      "SELECT count(*)::int AS n FROM public.clickstream_events WHERE event_timestamp = $1",
      [lastModified],
    );
    expect(n, "an event without a time takes its object's").to.equal(1);
  });
});
