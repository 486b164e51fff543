import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "chai";
import {
  BUCKET,
  createHost,
  skipWithout,
  skipWithoutHost,
  TUNNEL_ADDRESS,
  visit,
} from "../helpers/warehouse-fixture.js";
import { debianPrograms, type WarehouseHost } from "../helpers/warehouse-host.js";

/**
 * pg_dump dumps no server newer than itself, and the embedded PostgreSQL 18 comes without one: here server and pg_dump
 * are both Debian's.
 */
describe("the nightly backup of a PostgreSQL host", function () {
  this.timeout(60_000);
  let host: WarehouseHost;
  let folder: string;

  before(async function () {
    skipWithoutHost(this);
    const programs = debianPrograms();
    if (programs === null) return skipWithout(this, "No pg_dump.");
    host = await createHost({}, { serverPrograms: programs });
    await layCluster(host, programs);
    const { status, log } = await host.boot();
    expect(status, log).to.equal(0);
    expect(log).to.include("keeping the PostgreSQL");
    folder = join(host.awsFolder, "s3", BUCKET, "backups");
    await visit(
      host,
      {},
      `INSERT INTO clickstream_events (event_id, event_timestamp, event_name, context_product_name)
       SELECT gen_random_uuid(), now(), 'product_view', 'Thêm vào giỏ hàng ' || n FROM generate_series(1, 5000) n`,
    );
  });
  after(() => host?.stop());

  it("is a dump in the bucket with the SHA-256 of what was read back from there", async () => {
    const { status, log } = await host.run("backup");
    expect(status, log).to.equal(0);
    const [dump = "", sum = ""] = (await readdir(folder)).sort();
    expect(dump).to.match(/^clickstream_dw-\d{4}-\d\d-\d\dT\d{6}Z\.dump$/);
    expect(log).to.include(`backup written and read back: s3://${BUCKET}/backups/${dump}`);
    const digest = createHash("sha256")
      .update(await readFile(join(folder, dump)))
      .digest("hex");
    expect(await readFile(join(folder, sum), "utf8")).to.equal(`${digest}  ${dump}\n`);
  });

  it("restores by the runbook: beside the database, then in its place, with the rows, rights and migrations", async () => {
    const [dump = ""] = (await readdir(folder)).sort();
    const server = ["-h", join(host.root, "run/postgresql"), "-p", `${host.port}`, "-U", "postgres"];
    const psql = (database: string, ...statements: string[]) =>
      execFileSync(
        "psql",
        [...server, "-XAtq", "-d", database, ...statements.flatMap((sql) => ["-c", sql])],
        {
          encoding: "utf8",
        },
      );
    psql("postgres", "CREATE DATABASE restored OWNER dwh_owner");
    execFileSync("pg_restore", [...server, "--exit-on-error", "-d", "restored", join(folder, dump)]);
    const fingerprint = psql("clickstream_dw", FINGERPRINT);
    expect(fingerprint).to.match(/^5000\|/);
    expect(psql("restored", FINGERPRINT)).to.equal(fingerprint);

    psql(
      "postgres",
      "ALTER DATABASE clickstream_dw ALLOW_CONNECTIONS false",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'clickstream_dw'",
      "ALTER DATABASE clickstream_dw RENAME TO clickstream_dw_before",
      "ALTER DATABASE restored RENAME TO clickstream_dw",
    );
    const { status, log } = await host.run("setup");
    expect(status, log).to.equal(0);
    expect(log).to.not.include("applied");
    expect(await visit(host, {}, "SELECT count(*)::int AS events FROM clickstream_events")).to.deep.equal([
      { events: 5000 },
    ]);
  });

  it("has no checksum, and fails, when what came back is not what was dumped", async () => {
    const before = await readdir(folder);
    const aws = join(dirname(host.root), "bin/aws");
    const script = await readFile(aws, "utf8");
    await writeFile(aws, script.replace('cat "$(local_of "$from")"', 'head -c 5000 "$(local_of "$from")"'));
    const { status, log } = await host.run("backup");
    await writeFile(aws, script);
    expect(status).to.equal(1);
    expect(log).to.match(/FAILED: .*\.dump cannot be read back/);
    expect((await readdir(folder)).filter((name) => name.endsWith(".sha256"))).to.deep.equal(
      before.filter((name) => name.endsWith(".sha256")),
    );
  });

  it("fails loudly when the server is not there", async () => {
    await visit(host, { user: "dashboard_reader", from: TUNNEL_ADDRESS }, "SELECT 1");
    const data = join(host.volume, "data");
    const programs = debianPrograms() ?? "";
    execFileSync("runuser", ["-u", "postgres", "--", join(programs, "pg_ctl"), "-D", data, "-w", "stop"], {
      cwd: "/",
    });
    const { status, log } = await host.run("backup");
    expect(status).to.equal(1);
    expect(log).to.match(/FAILED: the dump to .* broke off/);
  });
});

const FINGERPRINT = `SELECT
  (SELECT count(*) FROM clickstream_events),
  (SELECT md5(string_agg(e::text, ',' ORDER BY event_id)) FROM clickstream_events e),
  (SELECT string_agg(version || checksum, ',' ORDER BY version) FROM etl.migrations),
  (SELECT string_agg(relname || ':' || coalesce(relacl::text, '') || ':' || pg_get_userbyid(relowner), ',' ORDER BY relname)
   FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'etl'::regnamespace) AND relkind = 'r')`;

/** A cluster of Debian's version on the volume, which the host then keeps: its initdb lacks some options of 18. */
async function layCluster(host: WarehouseHost, programs: string): Promise<void> {
  execFileSync("mkfs.ext4", ["-q", "-F", host.device]);
  const data = join(host.volume, "data");
  await mkdir(data);
  execFileSync("chown", ["postgres", host.volume, data]);
  const options = ["-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=peer"];
  execFileSync("runuser", ["-u", "postgres", "--", join(programs, "initdb"), ...options], {
    cwd: "/",
    stdio: "ignore",
  });
}
