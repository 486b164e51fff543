import { expect } from "chai";
import { erasePerson, exportLake, prune, verify, verifyRollups } from "etl-lib";
import { s3Source } from "etl-lib/s3";
import { labEnvironment, runCommand } from "../../testing/lab/command.js";
import { event, hourKey, json, ndjson } from "../../testing/lab/events.js";
import { expectIdentity } from "../../testing/lab/identity.js";
import { BRIEF, type Lab, openLab, openPool } from "../../testing/lab/lab.js";
import { openLake } from "../../testing/lab/lake.js";

const WINDOW = { from: new Date("2025-12-01T00:00Z"), to: new Date("2025-12-11T00:00Z") };
/** Named nowhere else, with letters that JSON may escape and a character that a pattern means something by. */
const USER = "usér.forgotten+42";
const CLIENT = "c1e17f02-0000-4000-8000-forgotten0001";
const at = (day: number, hour = 5) => ({ receivedAt: `2025-12-0${day}T0${hour}:00:00.000Z` });

const bound = (target: object, key: string | symbol): unknown => {
  const value = Reflect.get(target, key);
  return typeof value === "function" ? value.bind(target) : value;
};

describe("integration: erasing a person", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
    const theirs = (id: number, day: number, more: object = {}) =>
      event(id, { userId: USER, clientId: CLIENT, sessionId: "shared session", _ingest: at(day), ...more });
    lab.s3.put("events/2025/12/03/05/a.json", json([theirs(1, 3), event(2, { _ingest: at(3) })]));
    lab.s3.put(
      "events/2025/12/06/05/b.json",
      json([
        theirs(3, 6),
        theirs(4, 6, { userId: null }),
        event(5, { sessionId: "shared session", _ingest: at(6, 7) }),
        event(6, { userId: `${USER}0`, _ingest: at(6) }),
      ]),
    );
    lab.s3.put(
      "events/2025/12/06/05/bad.ndjson",
      `${ndjson([event(7, { _ingest: at(6) })])}{"userId":"${USER}","eventName":"x\n{"userId":"us\\u00e9r.forgotten+42", "eventName": 7}\n{"userId":"${USER}0"}\n`,
    );
    await lab.run({ window: WINDOW });
  });
  afterEach(() => lab.close());

  const query = async (sql: string, values?: unknown[]) => (await lab.db.pool.query(sql, values)).rows;
  const user = { kind: "user_id", id: USER } as const;
  const erase = (more: object = {}) => erasePerson(lab.db.pool, user, { lake: null, ...more });

  /** Where in the database the bytes are, whichever table and column holds them. */
  async function placesOf(id: string): Promise<string[]> {
    const tables = await query(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('public', 'etl', 'dw')`,
    );
    const places: string[] = [];
    for (const { name } of tables) {
      const forms = [
        id,
        JSON.stringify(id).slice(1, -1),
        id.replaceAll("é", "\\u00e9"),
        Buffer.from(id).toString("hex"),
      ];
      const [{ n }] = await query(
        `SELECT count(*)::int AS n FROM ${name} t, unnest($1::text[]) AS form
         WHERE strpos(replace(t::text, '\\\\', '\\'), form) > 0 AND strpos(t::text, $2) = 0`,
        [forms, `${id}0`],
      );
      if (n > 0) places.push(name);
    }
    return places.sort();
  }

  async function expectSound(): Promise<void> {
    await expectIdentity(lab.db.pool);
    const source = s3Source({ client: lab.s3.client, bucket: lab.s3.bucket, retry: BRIEF });
    const { gaps, table } = await verify(lab.db.pool, { source, window: WINDOW });
    await source.close();
    expect(gaps).to.deep.equal([]);
    expect(table.ledgerInserted - table.pruned - table.erased).to.equal(table.rows);
    expect((await verifyRollups(lab.db.pool)).differences).to.deep.equal([]);
  }

  it("leaves no byte of the id in any table, and all others as they were", async () => {
    expect(await placesOf(USER)).to.include.members([
      "dw.visits",
      "etl.rejects",
      "public.clickstream_events",
    ]);
    const report = await erase();
    expect(report).to.deep.include({
      events: 2,
      rejects: 2,
      isComplete: true,
      days: ["2025-12-03", "2025-12-06"],
    });
    expect(await placesOf(USER)).to.deep.equal([]);
    const left = await query("SELECT user_id, client_id FROM clickstream_events ORDER BY event_id");
    expect(left.map(({ user_id }) => user_id)).to.deep.equal([null, null, null, `${USER}0`, null]);
    expect((await query("SELECT raw FROM etl.rejects WHERE raw <> ''")).length, "another id's text").to.equal(
      1,
    );
    expect(
      await query("SELECT events::int FROM dw.visits WHERE session_id = 'shared session' ORDER BY hour"),
    ).to.have.lengthOf(2);
    await expectSound();
  });

  it("by the client too, whose name and number are then unknown", async () => {
    const report = await erasePerson(lab.db.pool, { kind: "client_id", id: CLIENT }, { lake: null });
    expect(report).to.include({ events: 3, isComplete: true });
    expect(await placesOf(CLIENT)).to.deep.equal([]);
    await expectSound();
  });

  it("counts in a dry run, and changes nothing", async () => {
    const before = await placesOf(USER);
    expect(await erase({ dryRun: true })).to.include({ events: 2, rejects: 2, isComplete: true });
    expect(await placesOf(USER)).to.deep.equal(before);
    expect(await query("SELECT erasures::int FROM etl.retention")).to.deep.equal([{ erasures: 0 }]);
  });

  it("brings nobody back: by a replay, an overwritten object, a backfill, or a reject that is read again", async () => {
    await erase();
    await lab.runUnchecked({ window: WINDOW, reload: true });
    expect(await placesOf(USER), "after a replay").to.deep.equal([]);
    const again = [
      event(3, { userId: USER, _ingest: at(6) }),
      event(90, { userId: USER, _ingest: at(6) }),
      event(91, { _ingest: at(6) }),
    ];
    lab.s3.put("events/2025/12/06/05/b.json", json(again));
    lab.s3.put("events/2025/12/07/05/c.json", json([{ userId: USER, eventName: 7 }]));
    const { events } = await lab.run({ window: WINDOW });
    expect(events).to.deep.include({ read: 4, inserted: 1, duplicates: 2, erased: 2, rejected: 1 });
    expect(await placesOf(USER), "after a backfill").to.deep.equal([]);
    await query("TRUNCATE etl.objects");
    await lab.runUnchecked({ window: WINDOW });
    expect(await placesOf(USER), "with a ledger that has forgotten").to.deep.equal([]);
  });

  it("reaches pruned days: rollups keep their counts and lose the names; late events stay out of the lake", async () => {
    const days = "SELECT zone, day, events, sessions FROM dw.days ORDER BY 1, 2";
    await prune(lab.db.pool, { before: new Date("2025-12-05T00:00Z"), lake: false });
    lab.s3.put("events/2025/12/03/05/late.json", json([event(80, { userId: USER, _ingest: at(3, 6) })]));
    await lab.run({ window: WINDOW, keepsLate: true });
    const before = (await query(days)).filter(({ day }) => day < new Date("2025-12-05"));
    expect(await erase()).to.include({ events: 1, lateEvents: 1, isComplete: true });
    expect(await placesOf(USER)).to.deep.equal([]);
    expect((await query(days)).filter(({ day }) => day < new Date("2025-12-05"))).to.deep.equal(before);
    lab.s3.put("events/2025/12/03/05/later.json", json([event(81, { userId: USER, _ingest: at(3, 6) })]));
    const { events } = await lab.run({ window: WINDOW, keepsLate: true });
    expect(events).to.deep.include({ duplicates: 1, erased: 1, expired: 0 });
    expect(await placesOf(USER)).to.deep.equal([]);
    await expectSound();
  });

  it("takes the person out of the lake's files, and is not complete while they are out of reach", async () => {
    const lake = await openLake();
    const theirs = async () =>
      (
        await lake.rows(
          `SELECT count(*)::int AS n FROM lake WHERE strpos(lake::text, '${USER}') > 0 AND user_id <> '${USER}0'`,
        )
      )[0]?.n;
    try {
      await exportLake(lab.db.pool, lake.store);
      expect(await theirs()).to.equal(2);
      expect((await erase()).isComplete, "without the lake").to.equal(false);
      expect(await query("SELECT completed_at FROM etl.erasures")).to.deep.equal([{ completed_at: null }]);
      const report = await erase({ lake: lake.store });
      expect(report).to.deep.include({ events: 0, lake: { files: 2, rows: 2 }, isComplete: true });
      expect((await erase({ lake: lake.store })).lake).to.deep.equal({ files: 0, rows: 0 });
      expect(await theirs()).to.equal(0);
      await exportLake(lab.db.pool, lake.store);
      expect(await theirs(), "after a further export").to.equal(0);
      await expectSound();
    } finally {
      lake.remove();
    }
  });

  it("is what the role of the function may do; the id is in no log, and the secret in no other hands", async () => {
    const writer = openPool(lab.db.config, { options: "-c role=etl_writer" });
    const reader = openPool(lab.db.config, { options: "-c role=dashboard_reader" });
    try {
      expect((await erasePerson(writer, user, { lake: null })).events).to.equal(2);
      for (const sql of ["SELECT secret FROM etl.erasure_key", "SELECT person FROM etl.erasures"])
        await reader.query(sql).then(
          () => expect.fail(sql),
          (error) => expect(error.code).to.equal("42501"),
        );
    } finally {
      await writer.end();
      await reader.end();
    }
  });

  it("as a command says what it cannot reach, and refuses an erasure without an id in one sentence", async () => {
    const env = { ...labEnvironment(lab), SNAPSHOT_RETENTION_DAYS: "7" };
    for (const args of [[], ["--user-id", " "], ["--user-id", "a", "--client-id", "b"]]) {
      const { code, stderr } = await runCommand(["erase", ...args], env);
      expect([code, stderr]).to.satisfy(
        ([status, text]: [number, string]) => status === 2 && /^erase: .* nothing was erased\.$/m.test(text),
      );
    }
    const { code, stdout, stderr } = await runCommand(["erase", "--user-id", USER], env);
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/events +│ +2/)
      .and.match(/snapshots .*: expires 7 days after/)
      .and.match(/aws s3 sync s3:/);
    expect(stdout + stderr).not.to.contain("forgotten");
    expect(await placesOf(USER)).to.deep.equal([]);
  });

  it("costs a load nothing while nobody was erased", async () => {
    const asked: string[] = [];
    const pool = new Proxy(lab.db.pool, {
      get: (target, key) =>
        key === "connect"
          ? async () => {
              const client = await target.connect();
              const asks = client.query.bind(client) as (...args: unknown[]) => unknown;
              client.query = ((...args: unknown[]) => {
                asked.push(String(args[0]));
                return asks(...args);
              }) as never;
              return client;
            }
          : bound(target, key),
    });
    lab.s3.put(hourKey("more.json"), json([event(70, { _ingest: at(6) })]));
    await lab.runUnchecked({ window: WINDOW, pool });
    expect(asked.filter((sql) => /etl\.retention/.test(sql)).length).to.be.greaterThan(0);
    expect(asked.filter((sql) => /etl\.erasure/.test(sql))).to.deep.equal([]);
  });
});
