import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { migrate, readMigrations } from "etl-lib";
import pg from "pg";
import { BUCKET, bootedHost, connection, failureOf, PASSWORDS, visit } from "../../testing/host/fixture.js";
import type { WarehouseHost } from "../../testing/host/host.js";

const OWNER = { user: "dwh_owner", password: PASSWORDS.dwh_owner ?? "", from: "127.0.0.1" };
const GOOD = "CREATE TABLE etl.later (x int);\nGRANT SELECT ON etl.later TO etl_writer;\n";
const APPLIED = "SELECT version, name, checksum FROM etl.migrations ORDER BY version";

describe("the migrations on a warehouse host", () => {
  let host: WarehouseHost;

  before(async function () {
    ({ host } = await bootedHost(this));
  });
  after(() => host?.stop());

  it("are recorded as etl-lib's own runner records them, so that each finds nothing to do after the other", async () => {
    const wanted = readMigrations().map(({ version, name, checksum }) => ({
      version,
      name,
      checksum,
    }));
    expect(wanted.length).to.be.above(2);
    expect(await visit(host, OWNER, APPLIED)).to.deep.equal(wanted);
  });

  it("belong to dwh_owner", async () => {
    const rows = await visit(
      host,
      OWNER,
      `SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class
       WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('public', 'etl', 'dw')`,
    );
    expect(rows).to.deep.equal([{ owner: "dwh_owner" }]);
  });

  it("that are new in the bucket are applied at the timer's next turn, once", async () => {
    await host.putObject(BUCKET, "migrations/9001_later.sql", GOOD);
    expect((await host.run("migrate")).log).to.equal("clickstream: applied 9001_later.sql\n");
    expect(await host.run("migrate")).to.deep.equal({ status: 0, log: "" });
    const [row] = (await visit(host, OWNER, APPLIED)).slice(-1);
    const checksum = createHash("sha256").update(GOOD).digest("hex");
    expect(row).to.deep.equal({ version: 9001, name: "9001_later.sql", checksum });
    await visit(host, {}, "SELECT * FROM etl.later");
  });

  it("that fail leave nothing of themselves, and hold back those after them", async () => {
    await host.putObject(BUCKET, "migrations/9002_bad.sql", "CREATE TABLE etl.half (x int);\nSELECT 1/0;\n");
    await host.putObject(BUCKET, "migrations/9003_after.sql", "CREATE TABLE etl.after (x int);\n");
    const { status, log } = await host.run("migrate");
    expect(status).to.equal(1);
    expect(log).to.match(/9002_bad\.sql:2: ERROR: {2}division by zero/);
    expect(log).to.include("FAILED: a migration was not applied");
    for (const table of ["half", "after"])
      expect((await failureOf(visit(host, OWNER, `SELECT FROM etl.${table}`))).message).to.include(
        "does not exist",
      );
    await rm(join(host.awsFolder, "s3", BUCKET, "migrations/9002_bad.sql"));
    expect((await host.run("migrate")).log).to.equal("clickstream: applied 9003_after.sql\n");
  });

  it("that were changed after they were applied are refused by name", async () => {
    await host.putObject(BUCKET, "migrations/9001_later.sql", `${GOOD}-- an afterthought\n`);
    const { status, log } = await host.run("migrate");
    expect(status).to.equal(1);
    expect(log).to.include("ERROR:  the applied migration 9001_later.sql was changed: add a new one instead");
    await host.putObject(BUCKET, "migrations/9001_later.sql", GOOD);
  });

  it("started at once by two timers of the host and by etl-lib are applied once", async () => {
    const sql = "CREATE TABLE etl.slow (x int);\nSELECT pg_sleep(0.5);\n";
    const name = "9004_slow.sql";
    await host.putObject(BUCKET, `migrations/${name}`, sql);
    const checksum = createHash("sha256").update(sql).digest("hex");
    const pool = new pg.Pool(await connection(host, OWNER));
    const [first, second, applied] = await Promise.all([
      host.run("migrate"),
      host.run("migrate"),
      migrate(pool, [{ version: 9004, name, checksum, sql }]),
    ]);
    await pool.end();
    expect([first.status, second.status], first.log + second.log).to.deep.equal([0, 0]);
    const times = (first.log + second.log).split(`applied ${name}`).length - 1 + applied.length;
    expect(times).to.equal(1);
  });

  it("that cannot be fetched are an error; none in the bucket yet is not", async () => {
    await rm(join(host.awsFolder, "s3", BUCKET, "migrations"), { recursive: true });
    const { status, log } = await host.run("migrate");
    expect({ status, log }).to.deep.equal({
      status: 0,
      log: `clickstream: no migrations at s3://${BUCKET}/migrations/ yet; the timer looks again\n`,
    });
    await rm(join(host.awsFolder, "s3"), { recursive: true });
    await host.putObject("elsewhere", "key", "");
    await rm(join(host.root, "../bin/aws"));
    const refused = await host.run("migrate");
    expect(refused.status).to.equal(1);
    expect(refused.log).to.include(`FAILED: cannot fetch s3://${BUCKET}/migrations/`);
  });
});
