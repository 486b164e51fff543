import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import {
  BUCKET,
  createDebianHost,
  skipWithout,
  skipWithoutHost,
  TUNNEL_ADDRESS,
  visit,
} from "../../testing/host/fixture.js";
import { debianPrograms, type WarehouseHost } from "../../testing/host/host.js";
import { runbookBlocks } from "../../testing/runbook.js";

/**
 * pg_dump dumps no server newer than itself, and the embedded PostgreSQL 18 comes without one: here server and pg_dump
 * are both Debian's.
 */
describe("the nightly backup of a PostgreSQL host", () => {
  let host: WarehouseHost;
  let folder: string;

  before(async function () {
    skipWithoutHost(this);
    const programs = debianPrograms();
    if (programs === null) return skipWithout(this, "No pg_dump.");
    host = await createDebianHost(programs);
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

  it("is remembered with its size for the host's state", async () => {
    const [dump = ""] = (await readdir(folder)).sort();
    const { length } = await readFile(join(folder, dump));
    expect(await readFile(join(host.root, "var/lib/clickstream/succeeded-backup"), "utf8")).to.match(
      new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ\\t${length}\n$`),
    );
  });

  it("is restored by the drill, which finds events that the rollups do not have", async () => {
    const { status, log } = await host.run("drill");
    expect(status).to.equal(1);
    expect(log).to.match(
      /FAILED: clickstream_dw-.*\.dump was restored and does not add up: other, 5000 events, 0 in the rollups/,
    );
  });

  it("passes the drill when they have them, and leaves no scratch database", async () => {
    await visit(
      host,
      { user: "dwh_owner", from: TUNNEL_ADDRESS },
      `INSERT INTO dw.hourly_events
       SELECT date_trunc('hour', event_timestamp, 'UTC'), event_name, user_login_state, count(*)
       FROM clickstream_events GROUP BY 1, 2, 3`,
    );
    await rm(folder, { recursive: true });
    expect((await host.run("backup")).status).to.equal(0);
    const { status, log } = await host.run("drill");
    expect(status, log).to.equal(0);
    expect(log).to.match(/restored clickstream_dw-.*\.dump: 5000 events, 5000 in the rollups/);
    expect((await host.run("state")).status).to.equal(0);
    const reader = { user: "dashboard_reader", from: TUNNEL_ADDRESS };
    expect(
      await visit(host, reader, "SELECT drill LIKE '%.dump: 5000 events%' AS drilled FROM etl.host_state"),
    ).to.deep.equal([{ drilled: true }]);
    expect(
      await visit(host, reader, "SELECT FROM pg_database WHERE datname = 'restore_drill'"),
    ).to.deep.equal([]);
  });

  it("takes a dump before it patches, moves to the newest release, and says from what to what", async () => {
    await writeFile(join(host.root, "etc/newest-release"), "2023.10.20261101\n");
    await mkdir(join(host.root, "boot"));
    await writeFile(join(host.root, `boot/vmlinuz-${release()}`), "");
    await rm(folder, { recursive: true });
    const { status, log } = await host.run("patch");
    expect(status, log).to.equal(0);
    expect(await readdir(folder)).to.have.length(2);
    expect(log).to.match(
      /patched: Amazon Linux 2023\.9\.20251105, PostgreSQL ([\d.]+) -> Amazon Linux 2023\.10\.20261101, PostgreSQL \1/,
    );
    expect(await host.calls())
      .to.include("dnf upgrade -y -q --releasever=latest")
      .and.not.include("systemctl reboot");
  });

  it("restarts for a newer kernel", async () => {
    await writeFile(join(host.root, "boot/vmlinuz-999.1.2-3.amzn2023.x86_64"), "");
    expect((await host.run("patch")).log).to.include("restarting for the kernel 999.1.2-3.amzn2023.x86_64");
    expect(await host.calls()).to.include("systemctl reboot");
  });

  it("restores by the runbook: beside the database, then in its place, with the rows, rights and migrations", async () => {
    const [dump = ""] = (await readdir(folder)).sort();
    const [look = "", restore = "", exchange = ""] = runbookBlocks("Restore from a dump");
    const named = look.replace(/^DUMP=.*$/m, `DUMP=${dump}`);
    const fingerprint = async (database: string) =>
      (await host.type(`runuser -u postgres -- psql -XAtq -d ${database} -c "${FINGERPRINT}"`)).log;
    const first = await host.type(named + restore);
    expect(first.status, first.log).to.equal(0);
    const before = await fingerprint("clickstream_dw");
    expect(before).to.match(/^5000\|/);
    expect(await fingerprint("restored")).to.equal(before);

    const second = await host.type(named + exchange);
    expect(second.status, second.log).to.equal(0);
    expect(await host.calls()).to.include("systemctl start clickstream-setup");
    const { status, log } = await host.run("setup");
    expect(status, log).to.equal(0);
    expect(log).to.not.include("applied");
    expect(await visit(host, {}, "SELECT count(*)::int AS events FROM clickstream_events")).to.deep.equal([
      { events: 5000 },
    ]);
  });

  it("does not patch without a dump", async () => {
    await rm(join(host.root, "etc/newest-release"));
    const aws = join(dirname(host.root), "bin/aws");
    const script = await readFile(aws, "utf8");
    await writeFile(aws, script.replace("'s3 cp') copy", "'s3 cp') exit 1 ; copy"));
    const { status, log } = await host.run("patch");
    await writeFile(aws, script);
    expect(status).to.equal(1);
    expect(log).to.include("FAILED: without a dump nothing is patched");
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
