import { expect } from "chai";
import { only, requeueRejects, s3Source } from "etl-lib";
import { gets, refuse } from "../helpers/s3.js";
import { event, hourKey, json, uuid } from "./support/events.js";
import { expectIdentity, ledgerOf } from "./support/identity.js";
import { BRIEF, counts, type Lab, openLab, openPool, PATIENT } from "./support/lab.js";
import { startPgProxy } from "./support/pg-proxy.js";

describe("integration: objects of rejects are read again", function () {
  this.timeout(60_000);
  const key = hourKey("a.json");
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
    lab.s3.put(hourKey("0.json"), json(event(1)));
    lab.s3.put(key, json([event(1), event(2), event(3), 7]));
    await lab.run();
    await asIfRejected(3);
  });
  afterEach(() => lab.close());

  /** Turns the clock back to an earlier version of the transform, which could not read this event. */
  async function asIfRejected(id: number): Promise<void> {
    await lab.db.pool.query("DELETE FROM public.clickstream_events WHERE event_id = $1", [uuid(id)]);
    await lab.db.pool.query("UPDATE etl.objects SET inserted = 1, rejected = 2 WHERE key = $1", [key]);
    await lab.db.pool.query(
      `INSERT INTO etl.rejects (bucket, key, etag, position, cause, detail, raw, run_id)
       SELECT bucket, key, etag, 2, 'missing_event_name', 'x', 'x', run_id FROM etl.objects WHERE key = $1`,
      [key],
    );
    await expectIdentity(lab.db.pool);
  }

  const source = () => s3Source({ client: lab.s3.client, bucket: lab.s3.bucket, retry: BRIEF });
  const requeue = () => requeueRejects(lab.db.pool, source(), { cause: "missing_event_name" });

  /** What must be there in the end, whichever way it went. */
  async function expectRepaired(): Promise<void> {
    await expectIdentity(lab.db.pool);
    expect(await ledgerOf(lab.db.pool)).to.deep.equal(counts(5, 3, 1, 1));
    expect((await lab.runUnchecked()).status).to.equal("skipped");
  }

  it("by the next run over their window: what is right now is added, nothing is doubled", async () => {
    expect((await requeue()).objects).to.have.length(1);
    const { events } = await lab.runUnchecked();
    expect(events).to.deep.equal(counts(4, 1, 2, 1));
    await expectRepaired();
  });

  it("alone, at once", async () => {
    const { objects } = await requeue();
    const summary = await lab.runWith(Object.assign(only(source(), objects), { close: async () => {} }), {
      window: null,
    });
    expect(summary.objects).to.include({ listed: 1, loaded: 1 });
    await expectRepaired();
  });

  it("by two runs at once: one of them", async () => {
    await requeue();
    const [one, two] = await Promise.all([lab.runUnchecked(), lab.runUnchecked()]);
    expect([one, two].map(({ events }) => events.read).sort()).to.deep.equal([0, 4]);
    await expectRepaired();
  });

  it("though the first try fails, and the answer to the COMMIT of the second is lost", async () => {
    await requeue();
    const refused = lab.s3.fault(refuse(403, "AccessDenied"), { when: gets(key) });
    expect((await lab.runUnchecked()).status).to.equal("partial");
    refused.lift();
    const proxy = await startPgProxy(lab.db.config);
    const pool = openPool(proxy.config);
    proxy.loseAnswerTo("COMMIT");
    expect((await lab.runUnchecked({ pool, retry: PATIENT })).events).to.deep.equal(counts(4, 1, 2, 1));
    await expectRepaired();
    await pool.end();
    await proxy.close();
  });

  it("not when their version is gone", async () => {
    lab.s3.put(key, json([event(9)]));
    expect(await requeue()).to.deep.equal({ objects: [], gone: [key] });
    expect((await lab.run()).events).to.deep.equal(counts(1, 1));
  });
});
