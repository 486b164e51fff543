import { expect } from "chai";
import { DAY, event, hourKey, json } from "../../testing/lab/events.js";
import { counts, type Lab, openLab } from "../../testing/lab/lab.js";

const at = (day: number) => ({ _ingest: { receivedAt: `2025-12-0${day}T05:00:00.000Z` } });

describe("integration: an event of a day that is pruned already", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
    await lab.db.pool.query("UPDATE etl.retention SET kept_from = '2025-12-06T00:00Z'");
    lab.s3.put(
      hourKey("late.json"),
      json([event(1, at(5)), event(2, at(6)), event(1, at(5)), 7, event(3, at(5))]),
    );
  });
  afterEach(() => lab.close());

  const late = async () =>
    (await lab.db.pool.query("SELECT event_id, user_login_state FROM etl.late_events ORDER BY 1")).rows
      .length;

  it("counts as expired, of its object and its run, and is added to nothing", async () => {
    const { events } = await lab.run();
    expect(events).to.deep.equal(counts(5, 1, 1, 1, 2));
    expect(await lab.row("SELECT expired::int, inserted::int FROM etl.objects")).to.deep.equal({
      expired: 2,
      inserted: 1,
    });
    expect(await lab.count()).to.equal(1);
    expect(await lab.row("SELECT sum(events)::int AS n FROM dw.hourly_events")).to.deep.equal({ n: 1 });
    expect(await late()).to.equal(0);
  });

  it("is kept for the lake where there is one, each once, however often it comes", async () => {
    await lab.run({ keepsLate: true });
    lab.s3.put(hourKey("again.json"), json([event(1, at(5)), event(4, at(5))]));
    const { events } = await lab.run({ keepsLate: true });
    expect(events).to.deep.equal(counts(2, 0, 0, 0, 2));
    expect(await late()).to.equal(3);
    const row = await lab.row("SELECT * FROM etl.late_events WHERE event_id::text LIKE '%4'");
    expect(row).to.deep.include({ client_id: "client-4", context_product_price: "18990000" });
  });

  it("counts the same in a dry run, which keeps nothing", async () => {
    const { events } = await lab.run({ dryRun: true, keepsLate: true });
    expect(events).to.deep.equal(counts(5, 1, 1, 1, 2));
    expect(await late()).to.equal(0);
  });

  it("stays counted when its folder's ledger is sealed", async () => {
    lab.s3.remove(hourKey("late.json"));
    lab.s3.put(hourKey("sealed.json"), json([event(1, at(5)), event(2, at(6))]));
    await lab.run({ window: DAY });
    await lab.db.pool.query(
      "INSERT INTO etl.lookbacks (bucket, since, sealed_to) VALUES ($1, now(), now())",
      [lab.s3.bucket],
    );
    lab.s3.put(hourKey("more.json"), json([event(5, at(5))]));
    const { sealed } = await lab.runUnchecked({ window: DAY });
    expect(sealed).to.equal(2);
    expect(await lab.row("SELECT read::int, inserted::int, expired::int FROM etl.sealed")).to.deep.equal({
      read: 3,
      inserted: 1,
      expired: 2,
    });
  });
});
