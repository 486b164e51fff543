import { expect } from "chai";
import { objectOf, rejectedObjects, verify } from "etl-lib";
import { s3Source } from "etl-lib/s3";
import { labEnvironment, runCommand, startCommand } from "../../testing/lab/command.js";
import { DAY, event, events, hourKey, json, uuid } from "../../testing/lab/events.js";
import { expectIdentity, ledgerOf } from "../../testing/lab/identity.js";
import { BRIEF, counts, type Lab, openLab, openPool, PATIENT } from "../../testing/lab/lab.js";
import { startPgProxy } from "../../testing/lab/pg-proxy.js";
import { gets, refuse } from "../../testing/s3/s3.js";

describe("integration: objects are read again", () => {
  const key = hourKey("a.json");
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
  });
  afterEach(() => lab.close());

  const query = (sql: string, values?: unknown[]) => lab.db.pool.query(sql, values);
  const source = () => s3Source({ client: lab.s3.client, bucket: lab.s3.bucket, retry: BRIEF });
  const gone: string[] = [];
  const requeue = (options = {}) => {
    const bucket = source();
    gone.length = 0;
    const rejected = rejectedObjects(lab.db.pool, bucket, { cause: "missing_event_name" }, (k) =>
      gone.push(k),
    );
    const again = Object.assign(rejected, { close: () => bucket.close() });
    return lab.runWith(again, { window: null, reload: true, ...options });
  };
  const reload = async (only: string, options = {}) => {
    const bucket = source();
    const again = Object.assign(await objectOf(bucket, only), { close: () => bucket.close() });
    return lab.runWith(again, { window: null, reload: true, ...options });
  };
  const gaps = async () => {
    const bucket = source();
    const report = await verify(lab.db.pool, { source: bucket, window: DAY });
    await bucket.close();
    return report.gaps;
  };
  const countsOf = async (of: string) => {
    const { read, inserted, duplicates, rejected, expired } = await lab.row(
      "SELECT read::int, inserted::int, duplicates::int, rejected::int, expired::int FROM etl.objects WHERE key = $1",
      [of],
    );
    return counts(read, inserted, duplicates, rejected, expired);
  };
  const standing = async () =>
    (await lab.row("SELECT count(*)::int AS n FROM etl.rejects WHERE requeued_at IS NULL")).n;

  /** Turns the clock back to an earlier version of the transform, which could not read these events. */
  async function asIfRejected(of: string, ids: readonly number[]): Promise<void> {
    const { rowCount } = await query(
      `WITH gone AS (DELETE FROM public.clickstream_events WHERE event_id = ANY ($1) RETURNING event_id, event_timestamp)
       INSERT INTO etl.loaded_hours (hour, rows, ids)
       SELECT date_bin('1 hour', event_timestamp, 'epoch'), -1, -uuid_hash(event_id)::bigint FROM gone`,
      [ids.map(uuid)],
    );
    await query("UPDATE etl.objects SET inserted = inserted - $2, rejected = rejected + $2 WHERE key = $1", [
      of,
      rowCount,
    ]);
    for (const id of ids)
      await query(
        `INSERT INTO etl.rejects (bucket, key, etag, position, cause, detail, raw, run_id)
         SELECT bucket, key, etag, $2, 'missing_event_name', 'x', 'x', run_id FROM etl.objects WHERE key = $1`,
        [of, id],
      );
    await expectIdentity(lab.db.pool);
  }

  describe("for their rejects", () => {
    beforeEach(async () => {
      lab.s3.put(hourKey("0.json"), json(event(1)));
      lab.s3.put(key, json([event(1), event(2), event(3), 7]));
      await lab.run();
      await asIfRejected(key, [3]);
    });

    /** What must be there in the end, whichever way it went. */
    async function expectRepaired(): Promise<void> {
      await expectIdentity(lab.db.pool);
      expect(await ledgerOf(lab.db.pool)).to.deep.equal(counts(5, 3, 1, 1));
      expect(await gaps()).to.deep.equal([]);
      expect((await lab.runUnchecked()).status).to.equal("skipped");
    }

    it("what is right now is added, nothing is doubled", async () => {
      const summary = await requeue();
      expect(summary.objects).to.include({ listed: 1, loaded: 1 });
      expect(summary.events).to.deep.equal(counts(4, 1, 2, 1));
      await expectRepaired();
    });

    it("by two at once", async () => {
      const both = await Promise.all([requeue(), requeue()]);
      expect(both.map(({ events }) => events.inserted).sort()).to.deep.equal([0, 1]);
      await expectRepaired();
    });

    it("though the first try fails, and the answer to the COMMIT of the second is lost", async () => {
      const refused = lab.s3.fault(refuse(403, "AccessDenied"), { when: gets(key) });
      expect((await requeue()).status).to.equal("partial");
      refused.lift();
      const proxy = await startPgProxy(lab.db.config);
      const pool = openPool(proxy.config);
      proxy.loseAnswerTo("COMMIT");
      expect((await requeue({ pool, retry: PATIENT })).events).to.deep.equal(counts(4, 1, 2, 1));
      await expectRepaired();
      await pool.end();
      await proxy.close();
    });

    it("and a kill before they are loaded leaves them where they are: the second time finds them", async () => {
      const args = ["rejects", "requeue", "--cause", "missing_event_name", "--json"];
      const killed = startCommand(args, labEnvironment(lab));
      const fault = lab.s3.fault(
        async () => {
          killed.child.kill("SIGKILL");
          return false;
        },
        { when: gets(key), times: 1 },
      );
      await killed.outcome;
      fault.lift();
      await lab.lastBackendGone("etl:local");
      expect(await standing()).to.equal(2);
      const again = await runCommand(args, labEnvironment(lab));
      expect(JSON.parse(again.stdout)).to.deep.include({ gone: [], events: counts(4, 1, 2, 1) });
      await expectRepaired();
    });

    it("in the version there is now", async () => {
      lab.s3.put(key, json([event(9)]));
      expect((await requeue()).events).to.deep.equal(counts(1, 1));
      expect([gone, await standing(), await gaps()]).to.deep.equal([[], 0, []]);
    });

    it("not when they are gone: that is reported", async () => {
      await lab.s3.remove(key);
      expect((await requeue()).status).to.equal("skipped");
      expect([gone, await standing()]).to.deep.equal([[key], 2]);
    });
  });

  it("and an object of which nothing had been inserted is counted like any other", async () => {
    lab.s3.put(key, json(events(0, 3)));
    await lab.run();
    await asIfRejected(key, [0, 1, 2]);
    expect(await countsOf(key)).to.deep.equal(counts(3, 0, 0, 3));
    await requeue();
    expect([await countsOf(key), await gaps()]).to.deep.equal([counts(3, 3), []]);
    await expectIdentity(lab.db.pool);
  });

  it("and a repaired version supersedes the rejects of the one before, a line still bad stands once", async () => {
    lab.s3.put(key, json([event(1), 7, 8]), { lastModified: new Date("2025-12-06T06:00:00Z") });
    await lab.run();
    lab.s3.put(key, json([event(1), event(2), 8]), { lastModified: new Date("2025-12-06T07:00:00Z") });
    await lab.run();
    expect([await standing(), await gaps()]).to.deep.equal([1, []]);
  });

  describe("whatever the ledger says", () => {
    beforeEach(async () => {
      lab.s3.put(key, json(events(0, 10)));
      lab.s3.put(hourKey("b.json"), json(events(8, 12)));
      await lab.run();
    });

    it("rows that were lost come back once, and the counts are what they were", async () => {
      const before = [await countsOf(key), await countsOf(hourKey("b.json"))];
      await query("DELETE FROM public.clickstream_events WHERE event_id = ANY ($1)", [
        [1, 2, 8, 11].map(uuid),
      ]);
      expect((await reload(key)).events).to.deep.equal(counts(10, 3, 7));
      expect((await reload(hourKey("b.json"))).events).to.deep.equal(counts(4, 1, 3));
      expect([await countsOf(key), await countsOf(hourKey("b.json"))]).to.deep.equal(before);
      await expectIdentity(lab.db.pool);
    });

    it("also all of them: no count is negative", async () => {
      await query("TRUNCATE public.clickstream_events");
      const summary = await lab.runUnchecked({ reload: true });
      expect(summary.events).to.deep.equal(counts(14, 12, 2));
      expect([await countsOf(key), await countsOf(hourKey("b.json"))]).to.deep.equal([
        counts(10, 10),
        counts(4, 2, 2),
      ]);
      await expectIdentity(lab.db.pool);
      const refused = await query(
        "UPDATE etl.objects SET inserted = inserted + 5, duplicates = duplicates - 5",
      ).catch(String);
      expect(refused).to.match(/objects_identity/);
    });

    it("by the command, one object or a window", async () => {
      const env = labEnvironment(lab);
      await query("DELETE FROM public.clickstream_events WHERE event_id = $1", [uuid(3)]);
      const one = await runCommand(["run", "--reload", "--key", key, "--json"], env);
      expect(JSON.parse(one.stdout).events).to.deep.equal(counts(10, 1, 9));
      const window = await runCommand(
        ["run", "--reload", "--from", "2025-12-06", "--to", "2025-12-07", "--json"],
        env,
      );
      expect(JSON.parse(window.stdout).events).to.deep.equal(counts(14, 0, 14));
      const none = await runCommand(["run", "--reload", "--key", hourKey("c.json")], env);
      expect([none.code, none.stderr]).to.satisfy(
        ([code, text]: [number, string]) => code === 2 && /holds no object events/.test(text),
      );
      for (const args of [["--reload"], ["--key", key]])
        expect((await runCommand(["run", ...args], env)).code).to.equal(2);
      await expectIdentity(lab.db.pool);
    });
  });
});
