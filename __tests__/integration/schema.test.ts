import { expect } from "chai";
import { assertSchema, type EtlError, migrate, readMigrations } from "etl-lib";
import type pg from "pg";
import { event, hourKey, json } from "../../testing/lab/events.js";
import { counts, type Lab, openLab, openPool } from "../../testing/lab/lab.js";
import { startPostgres, type TestDatabase } from "../../testing/postgres.js";

const failure = (work: Promise<unknown>): Promise<EtlError> =>
  work.then(
    () => expect.fail("nothing was refused"),
    (error) => error,
  );

describe("integration: migrations, shape and roles", () => {
  describe("migrations", () => {
    let db: TestDatabase;
    beforeEach(async () => {
      db = await (await startPostgres()).createDatabase();
    });
    afterEach(() => db.drop());

    it("are applied once, from eight places at once", async () => {
      const pools = Array.from({ length: 8 }, () => openPool(db.config, { max: 2 }));
      const applied = await Promise.all(pools.map((pool) => migrate(pool)));
      const names = readMigrations().map(({ name }) => name);
      expect(applied.flat().sort()).to.deep.equal(names);
      const { rows } = await db.pool.query("SELECT name FROM etl.migrations ORDER BY version");
      expect(rows.map(({ name }) => name)).to.deep.equal(names);
      expect(await migrate(db.pool)).to.deep.equal([]);
      await Promise.all(pools.map((pool) => pool.end()));
    });

    it("go on where a crash stopped, and take over a file that fails as a whole or not at all", async () => {
      const all = readMigrations();
      await migrate(db.pool, all.slice(0, 2));
      const broken = {
        version: 3,
        name: "0003_broken.sql",
        checksum: "x",
        sql: "CREATE TABLE half (); SELECT 1/0",
      };
      expect(await failure(migrate(db.pool, [...all.slice(0, 2), broken]))).to.include({
        kind: "fatal",
        stage: "load",
      });
      const { rows } = await db.pool.query(
        "SELECT to_regclass('half') AS half, count(*)::int AS n FROM etl.migrations",
      );
      expect(rows[0]).to.deep.equal({ half: null, n: 2 });
      expect(await migrate(db.pool)).to.deep.equal(all.slice(2).map(({ name }) => name));
    });

    it("are refused when an applied one was changed", async () => {
      const all = readMigrations();
      await migrate(db.pool);
      const changed = all.map((migration) =>
        migration.version === 2 ? { ...migration, checksum: "another" } : migration,
      );
      const error = await failure(migrate(db.pool, changed));
      expect(error.message).to.equal(
        "The migration 0002_bookkeeping.sql was changed after it was applied: add a new one instead.",
      );
      expect(error.kind).to.equal("fatal");
    });

    it("are missed by name when a run finds them missing", async () => {
      const error = await failure(assertSchema(db.pool));
      expect(error.message).to.match(
        /^The warehouse lacks the migration 0001_events\.sql: run `npm run etl:local/,
      );
    });
  });

  describe("a table of another shape", () => {
    let lab: Lab;
    beforeEach(async () => {
      lab = await openLab();
      lab.s3.put(hourKey("a.json"), json(event(1)));
    });
    afterEach(() => lab.close());

    const EVENTS = "ALTER TABLE public.clickstream_events";
    for (const [what, change, says] of [
      ["has a column more", `${EVENTS} ADD COLUMN note text`, /: it has note text\./],
      ["lacks a column", `${EVENTS} DROP COLUMN user_id CASCADE`, /: it lacks user_id text\./],
      [
        "has another type",
        `${EVENTS} ALTER COLUMN context_product_id TYPE int USING 0`,
        /it lacks context_product_id text; it has context_product_id integer\./,
      ],
      [
        "has a time without a zone",
        `DROP INDEX public.clickstream_events_event_timestamp; ${EVENTS} ALTER COLUMN event_timestamp TYPE timestamp`,
        /it has event_timestamp timestamp without time zone NOT NULL/,
      ],
      [
        "has no key",
        `${EVENTS} DROP CONSTRAINT clickstream_events_pkey CASCADE`,
        /it lacks event_id uuid PRIMARY KEY; it has event_id uuid NOT NULL/,
      ],
    ] as const)
      it(`${what}: refused in a sentence, before anything is loaded`, async () => {
        await lab.db.pool.query(`DROP VIEW analytics.events; ${change}`);
        const { status, error, objects } = await lab.runUnchecked();
        expect([status, error?.kind, objects.listed]).to.deep.equal(["failed", "fatal", 0]);
        expect(error?.message).to.match(/^public\.clickstream_events has another shape: /);
        expect(error?.message).to.match(says);
      });

    it("stands in the way of the first migration: refused in a sentence", async () => {
      const db = await (await startPostgres()).createDatabase();
      await db.pool.query("CREATE TABLE public.clickstream_events (event_id text, event_name text)");
      const error = await failure(migrate(db.pool));
      expect(error.message)
        .to.match(/"clickstream_events" already exists/)
        .and.to.match(/rename|move/);
      await db.drop();
    });
  });

  describe("roles", () => {
    let lab: Lab;
    let writer: pg.Pool;
    beforeEach(async () => {
      lab = await openLab();
      await lab.db.pool.query(
        `DROP ROLE IF EXISTS test_etl; CREATE ROLE test_etl LOGIN PASSWORD 'test' IN ROLE etl_writer`,
      );
      writer = openPool({ ...lab.db.config, user: "test_etl", password: "test" });
    });
    afterEach(async () => {
      await writer.end();
      await lab.close();
    });

    it("etl_writer is enough for a run, a dry run and a second version", async () => {
      lab.s3.put(hourKey("a.json"), json([event(1), event(1), 5]));
      expect((await lab.run({ pool: writer, dryRun: true })).events).to.deep.equal(counts(3, 1, 1, 1));
      expect((await lab.run({ pool: writer })).events).to.deep.equal(counts(3, 1, 1, 1));
      lab.s3.put(hourKey("a.json"), json([event(1), event(2)]));
      expect((await lab.run({ pool: writer })).events).to.deep.equal(counts(2, 1, 1));
    });

    for (const forbidden of [
      "DELETE FROM public.clickstream_events",
      "UPDATE public.clickstream_events SET user_id = 'x'",
      "TRUNCATE public.clickstream_events",
      "DELETE FROM etl.rejects",
      "UPDATE etl.migrations SET checksum = 'x'",
      "CREATE TABLE public.mine ()",
      "CREATE TABLE etl.mine ()",
      "ALTER TABLE public.clickstream_events ADD COLUMN x text",
      "DROP TABLE public.clickstream_events",
      "CREATE SCHEMA mine",
      "CREATE ROLE mine",
    ])
      it(`etl_writer may not: ${forbidden}`, async () => {
        const error = await writer.query(forbidden).catch((refusal) => refusal);
        expect(error).to.include({ code: "42501" });
      });

    it("a role without a grant gets a sentence that says what to do", async () => {
      await lab.db.pool.query(
        "DROP ROLE IF EXISTS test_nobody; CREATE ROLE test_nobody LOGIN PASSWORD 'test'",
      );
      const nobody = openPool({ ...lab.db.config, user: "test_nobody", password: "test" });
      const { status, error } = await lab.runUnchecked({ pool: nobody });
      expect([status, error?.kind]).to.deep.equal(["failed", "fatal"]);
      expect(error?.message).to.include("the role in DWH_USER lacks a grant");
      await nobody.end();
    });
  });
});
