import { expect } from "chai";
import { event, events, hourKey, json, uuid } from "../../testing/lab/events.js";
import { counts, type Lab, openLab } from "../../testing/lab/lab.js";

describe("integration: rows that something in the warehouse drops", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
    lab.s3.put(hourKey("a.json"), json([...events(0, 5), 7]));
  });
  afterEach(() => lab.close());

  const dropRowsOf = (table: string, when: string) =>
    lab.db.pool.query(`CREATE FUNCTION public.drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER drop_row BEFORE INSERT ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION public.drop_row()`);

  async function expectNoticed(table: string, kept: string): Promise<void> {
    const { status, error } = await lab.runUnchecked();
    expect([status, error?.kind]).to.deep.equal(["failed", "fatal"]);
    expect(error?.message).to.match(new RegExp(`^${table} kept ${kept} rows: a trigger, a rule or a policy`));
    await lab.db.pool.query(`DROP TRIGGER drop_row ON ${table}`);
    expect((await lab.run()).status).to.equal("succeeded");
  }

  it("are noticed on their straight way into the table", async () => {
    await dropRowsOf("public.clickstream_events", `NEW.event_id = '${uuid(3)}'`);
    await expectNoticed("public.clickstream_events", "4 of 5");
  });

  it("are not taken for duplicates where they go through the stage", async () => {
    lab.s3.put(hourKey("0.json"), json(event(1)));
    await dropRowsOf("public.clickstream_events", `NEW.event_id = '${uuid(3)}'`);
    await expectNoticed("public.clickstream_events", "[45] of [56]");
    expect(await lab.count()).to.equal(5);
  });

  it("are noticed in the ledger, and do not make an object look loaded", async () => {
    await dropRowsOf("etl.objects", "true");
    await expectNoticed("etl.objects", "0 of 1");
  });

  it("are noticed in quarantine", async () => {
    await dropRowsOf("etl.rejects", "true");
    await expectNoticed("etl.rejects", "0 of 1");
  });

  it("are none where a duplicate is one", async () => {
    await lab.run();
    lab.s3.put(hourKey("b.json"), json(events(3, 8)));
    expect((await lab.run()).events).to.deep.equal(counts(5, 3, 2));
  });
});
