import { expect } from "chai";
import { type VerifyReport, verify } from "etl-lib";
import { s3Source } from "etl-lib/s3";
import pg from "pg";
import { labEnvironment, runCommand } from "../../testing/lab/command.js";
import { DAY, dayKey, event, hourKey, json, ndjson, uuid } from "../../testing/lab/events.js";
import { BRIEF, counts, type Lab, openLab } from "../../testing/lab/lab.js";

const at = (hour: string, minute = "00") => ({
  _ingest: { receivedAt: `2025-12-06T${hour}:${minute}:00.000Z` },
});

describe("integration: verify says what is missing and where", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
    lab.s3.put(hourKey("a.json", "05"), json([0, 1, 2, 3].map((id) => event(id, at("05")))));
    lab.s3.put(hourKey("b.json", "05"), json([4, 5, 6].map((id) => event(id, at("05", "30")))));
    lab.s3.put(hourKey("late.json", "09"), json([event(7, at("05", "59")), event(8, at("09")), 7]));
    lab.s3.put(dayKey("day.ndjson"), ndjson([9, 10].map((id) => event(id, at("20")))));
    await lab.run();
  });
  afterEach(() => lab.close());

  const query = (sql: string, values?: unknown[]) => lab.db.pool.query(sql, values);
  const remove = (...ids: number[]) =>
    query("DELETE FROM public.clickstream_events WHERE event_id = ANY ($1)", [ids.map(uuid)]);
  const makeUp = (hour: string, rows: number) =>
    query(
      `INSERT INTO public.clickstream_events (event_id, event_timestamp, event_name)
       SELECT gen_random_uuid(), $1::timestamptz, 'x' FROM generate_series(1, $2)`,
      [`2025-12-06T${hour}:10:00Z`, rows],
    );
  async function report(): Promise<VerifyReport> {
    const source = s3Source({ client: lab.s3.client, bucket: lab.s3.bucket, retry: BRIEF });
    try {
      return await verify(lab.db.pool, { source, window: DAY });
    } finally {
      await source.close();
    }
  }
  /** What is said of the table, then of objects in the order of their keys. */
  const gaps = async () =>
    (await report()).gaps
      .map(({ kind, key, detail }) => [kind, key, detail])
      .sort(([, one], [, other]) => ((one ?? "") < (other ?? "") ? -1 : Number(one !== other)));

  it("nothing, and reads no object for it", async () => {
    lab.s3.forget();
    expect(await report()).to.deep.include({
      gaps: [],
      hasGaps: false,
      table: { ledgerInserted: 11, pruned: 0, erased: 0, rows: 11, mismatchedHours: 0, withoutDetails: 0 },
    });
    expect(lab.s3.requests.filter(({ operation }) => operation === "GetObject")).to.deep.equal([]);
  });

  it("as many rows deleted as made up, in one hour", async () => {
    await remove(1, 5, 7);
    await makeUp("05", 3);
    expect(await gaps()).to.deep.equal([
      ["hour_mismatch", null, "2025-12-06T05: loads brought 8 rows, the table holds as many, but others"],
      ["rows_missing", hourKey("a.json", "05"), "1 of its events are not in the table (2025-12-06T05: 1)"],
      ["rows_missing", hourKey("b.json", "05"), "1 of its events are not in the table (2025-12-06T05: 1)"],
      ["rows_missing", hourKey("late.json", "09"), "1 of its events are not in the table (2025-12-06T05: 1)"],
    ]);
  });

  it("details that are lost or made up; events that never had any are no gap", async () => {
    const DETAILS = "public.clickstream_event_details";
    await query(`DELETE FROM ${DETAILS} WHERE event_id = ANY ($1)`, [[1, 2].map(uuid)]);
    await query(`INSERT INTO ${DETAILS} SELECT * FROM ${DETAILS} WHERE event_id = $1`, [uuid(8)]);
    expect(await gaps()).to.deep.equal([
      ["details_mismatch", null, "2025-12-06T05: loads brought the details of 8 events, the table holds 6"],
      ["details_mismatch", null, "2025-12-06T09: loads brought the details of 1 events, the table holds 2"],
    ]);
    await query(`TRUNCATE ${DETAILS}`);
    await query("UPDATE etl.loaded_hours SET details = 0");
    expect(await report()).to.deep.include({
      hasGaps: false,
      table: { ledgerInserted: 11, pruned: 0, erased: 0, rows: 11, mismatchedHours: 0, withoutDetails: 11 },
    });
  });

  it("rows of hours that no load touched, and of a year nobody expects", async () => {
    await query(`INSERT INTO public.clickstream_events (event_id, event_timestamp, event_name)
      VALUES (gen_random_uuid(), '1970-01-01T00:10Z', 'x'), (gen_random_uuid(), '2025-12-06T11:10Z', 'x')`);
    expect((await gaps()).map(([, , detail]) => detail)).to.deep.equal([
      "2025-12-06T11: loads brought 0 rows, the table holds 1",
      "1970-01-01T00: loads brought 0 rows, the table holds 1",
    ]);
  });

  it("and reads none but the objects whose events lie there", async () => {
    await remove(9);
    lab.s3.forget();
    expect((await gaps()).map(([kind, key]) => [kind, key])).to.deep.equal([
      ["hour_mismatch", null],
      ["rows_missing", dayKey("day.ndjson")],
    ]);
    const read = lab.s3.requests.filter(({ operation }) => operation === "GetObject");
    expect(read.map(({ key }) => key)).to.deep.equal([dayKey("day.ndjson")]);
  });

  it("and a reload brings it back, of a key or of a window, also when the ledger's counts were damaged", async () => {
    await remove(1, 5, 7, 9);
    const env = labEnvironment(lab);
    expect((await runCommand(["verify", "--from", "2025-12-06", "--to", "2025-12-07"], env)).code).to.equal(
      1,
    );
    await runCommand(["run", "--reload", "--key", hourKey("a.json", "05"), "--quiet"], env);
    expect((await gaps()).map(([, key]) => key)).to.deep.equal([
      null,
      null,
      hourKey("b.json", "05"),
      hourKey("late.json", "09"),
      dayKey("day.ndjson"),
    ]);
    const summary = await lab.runUnchecked({ reload: true });
    expect(summary.events).to.deep.equal(counts(12, 3, 8, 1));
    expect(await gaps()).to.deep.equal([]);
    const green = await runCommand(["verify", "--from", "2025-12-06", "--to", "2025-12-07"], env);
    expect([green.code, green.stdout]).to.satisfy(
      ([code, text]: [number, string]) => code === 0 && /No gap/.test(text),
    );
  });

  it("and reload leaves what was made up, which is reported until it is gone", async () => {
    await remove(1, 2);
    await makeUp("05", 2);
    await lab.runUnchecked({ reload: true });
    expect((await gaps()).map(([, , detail]) => detail)).to.deep.equal([
      "2025-12-06T05: loads brought 8 rows, the table holds 10",
    ]);
    await query("DELETE FROM public.clickstream_events WHERE event_name = 'x'");
    expect(await gaps()).to.deep.equal([]);
  });

  it("an object that can no longer be read, beside what is known of the others", async () => {
    await remove(1, 5);
    lab.s3.remove(hourKey("a.json", "05"));
    expect((await gaps()).map(([kind, key]) => [kind, key])).to.deep.equal([
      ["hour_mismatch", null],
      ["rows_missing", hourKey("b.json", "05")],
    ]);
  });

  it("a ledger whose counts were changed", async () => {
    await query(
      "UPDATE etl.objects SET inserted = inserted - 1, duplicates = duplicates + 1 WHERE key = $1",
      [hourKey("a.json", "05")],
    );
    expect(await gaps()).to.deep.equal([
      ["table_mismatch", null, "the ledger counts 10 events inserted by object, and 11 by hour"],
    ]);
  });

  it("when a transform that was repaired and rows that were lost meet in one object", async () => {
    await query("UPDATE etl.objects SET inserted = inserted - 1, rejected = rejected + 1 WHERE key = $1", [
      hourKey("a.json", "05"),
    ]);
    await query("INSERT INTO etl.loaded_hours VALUES ('2025-12-06T05:00Z', -1, -uuid_hash($1))", [uuid(3)]);
    await remove(1, 3);
    await lab.runUnchecked({ reload: true });
    expect(await gaps()).to.deep.equal([]);
  });

  it("and changes nothing: not even a schema that is behind", async () => {
    const reader = new pg.Pool({ ...lab.db.config, options: "-c role=dashboard_reader" });
    const source = s3Source({ client: lab.s3.client, bucket: lab.s3.bucket, retry: BRIEF });
    expect((await verify(reader, { source, window: DAY })).hasGaps).to.equal(false);
    await source.close();
    await reader.end();
    await query("DELETE FROM etl.migrations WHERE version = (SELECT max(version) FROM etl.migrations)");
    const behind = await runCommand(["verify"], labEnvironment(lab));
    expect([behind.code, behind.stderr]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && /lacks the migration .* migrate/.test(text),
    );
  });
});
