import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import {
  createHost,
  failureOf,
  PASSWORDS,
  PREFIX,
  skipWithoutHost,
  visit,
} from "../../testing/host/fixture.js";
import type { Outcome, WarehouseHost, WarehouseHostOptions } from "../../testing/host/host.js";

const EVENT = `INSERT INTO clickstream_events (event_id, event_timestamp, event_name)
  VALUES ('00000000-0000-4000-8000-000000000001', '2025-12-06', 'page_view')`;
const EVENTS = "SELECT event_id, event_name FROM clickstream_events";
const MIB = 1024 * 1024;

describe("the first boot of a PostgreSQL host", () => {
  let host: WarehouseHost;

  before(function () {
    skipWithoutHost(this);
  });
  afterEach(() => host?.stop());

  async function booted(
    props: Parameters<typeof createHost>[0] = {},
    options: Partial<WarehouseHostOptions> = {},
  ): Promise<Outcome> {
    host = await createHost(props, options);
    const outcome = await host.boot();
    expect(outcome.status, outcome.log).to.equal(0);
    return outcome;
  }

  it("makes a warehouse out of a blank volume: PostgreSQL 18, checksums, UTF-8, TLS, the schema", async () => {
    await booted();
    const settings = ["data_checksums", "server_encoding", "ssl", "password_encryption", "port"];
    const rows = await visit(
      host,
      {},
      `SELECT name, setting FROM pg_settings WHERE name IN ('${settings.join("','")}')`,
    );
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).to.deep.equal({
      data_checksums: "on",
      server_encoding: "UTF8",
      ssl: "on",
      password_encryption: "scram-sha-256",
      port: `${host.port}`,
    });
    const [row] = await visit(
      host,
      {},
      "SELECT current_setting('server_version_num')::int / 10000 AS major, datlocale, pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = current_database()",
    );
    expect(row).to.deep.equal({ major: 18, datlocale: "C.UTF-8", owner: "dwh_owner" });
    expect(await visit(host, {}, EVENTS)).to.deep.equal([]);
  });

  it("mounts the volume by its UUID, without which the host still boots, and has its timers started", async () => {
    await booted();
    const uuid = execFileSync("blkid", ["-p", "-s", "UUID", "-o", "value", host.device], {
      encoding: "utf8",
    }).trim();
    const fstab = await readFile(join(host.root, "etc/fstab"), "utf8");
    expect(fstab.trim()).to.equal(
      `UUID=${uuid} ${host.root}/var/lib/pgsql ext4 defaults,noatime,nofail,x-systemd.device-timeout=120 0 0`,
    );
    const timers = [
      "setup",
      "passwords",
      "journals",
      "backup",
      "patch",
      "migrate",
      "dashboard-update",
      "state",
      "drill",
    ].map((name) => `clickstream-${name}.timer`);
    expect(await host.calls()).to.include(`systemctl enable -q --now ${timers.join(" ")}\n`);
  });

  it("run a second time changes no file and no row, and disturbs nobody who is connected", async () => {
    await booted();
    await visit(host, {}, EVENT);
    const before = await filesOf(host);
    const [connected] = [visit(host, {}, "SELECT pg_sleep(2)", EVENTS)];
    const { status, log } = await host.boot();
    expect(status, log).to.equal(0);
    expect(await filesOf(host)).to.deep.equal(before);
    expect(await connected).to.have.length(1);
    for (const word of ["blank", "made", "applied", "published", "restarting"])
      expect(log).to.not.include(word);
  });

  it("keeps the cluster on the volume when the instance is replaced: data, passwords, certificate authority", async () => {
    await booted();
    await visit(host, {}, EVENT);
    const ca = await host.parameter(`${PREFIX}/certificate`);
    await host.replaceInstance();
    const { status, log } = await host.boot();
    expect(status, log).to.equal(0);
    expect(log).to.include("keeping the PostgreSQL 18 cluster on the volume").and.not.include("blank");
    expect(await visit(host, { ssl: { ca } }, EVENTS)).to.have.length(1);
    expect(await host.parameter(`${PREFIX}/certificate`)).to.equal(ca);
  });

  it("tunes for the memory it finds, and again after a change of the instance type", async () => {
    const shown = () =>
      visit(
        host,
        {},
        `SELECT current_setting('shared_buffers') AS shared_buffers,
        current_setting('work_mem') AS work_mem, current_setting('maintenance_work_mem') AS maintenance_work_mem`,
      );
    await booted({}, { memoryMb: 1024 });
    expect(await shown()).to.deep.equal([
      { shared_buffers: "256MB", work_mem: "8MB", maintenance_work_mem: "64MB" },
    ]);
    await writeFile(join(host.root, "proc/meminfo"), `MemTotal: ${4096 * 1024} kB\n`);
    const { log } = await host.run("setup");
    expect(log).to.include("settings changed: restarting PostgreSQL");
    expect(await shown()).to.deep.equal([
      { shared_buffers: "1GB", work_mem: "32MB", maintenance_work_mem: "256MB" },
    ]);
  });

  it("says that a volume with a cluster is full, touches nothing, and goes on when there is room again", async () => {
    await booted({}, { volumeMb: 300 });
    await visit(host, {}, EVENT);
    const before = await filesOf(host);
    const filler = join(host.volume, "filler");
    await fill(filler, host.volume, 10);

    const full = await host.boot();
    expect(full.status).to.equal(1);
    expect(full.log).to.match(/FAILED: the data volume is full: \d+ MB free on .*, 64 needed/);
    expect(full.log).to.include("runbook: disk full").and.to.include("stopped at the step 'data volume'");
    expect(await host.calls()).to.include("systemctl start --no-block clickstream-setup.service");
    await rm(filler);
    expect(await filesOf(host)).to.deep.equal(before);
    expect(await visit(host, {}, EVENTS)).to.have.length(1);

    const { status, log } = await host.run("setup");
    expect(status, log).to.equal(0);
  });

  it("does not begin a cluster on a volume too small for one", async () => {
    host = await createHost({}, { volumeMb: 100 });
    const { status, log } = await host.boot();
    expect(status).to.equal(1);
    expect(log).to.match(/the data volume is full: \d+ MB free on .*, 256 needed/);
    expect(await readdir(host.volume)).to.deep.equal([]);
  });

  it("does not touch a volume that holds something unknown", async () => {
    host = await createHost();
    const unknown = Buffer.alloc(64 * MIB);
    unknown.write("backup of something else", 700_000);
    await writeFile(host.device, unknown);
    const { status, log } = await host.boot();
    expect(status).to.equal(1);
    expect(log).to.match(/FAILED: .*device holds data that is no known file system: not touched/);
    expect(await readFile(host.device)).to.deep.equal(unknown);
  });

  it("does not touch a cluster of another major version", async () => {
    host = await createHost();
    execFileSync("mkfs.ext4", ["-q", "-F", host.device]);
    await mkdir(join(host.volume, "data"));
    await writeFile(join(host.volume, "data/PG_VERSION"), "17\n");
    const { status, log } = await host.boot();
    expect(status).to.equal(1);
    expect(log).to.include("the volume holds a PostgreSQL 17 cluster and the host has PostgreSQL 18");
    expect(await readdir(join(host.volume, "data"))).to.deep.equal(["PG_VERSION"]);
  });

  it("begins afresh after a crash in the middle of making the cluster", async () => {
    host = await createHost();
    execFileSync("mkfs.ext4", ["-q", "-F", host.device]);
    await mkdir(join(host.volume, "data.new"));
    await writeFile(join(host.volume, "data.new/PG_VERSION"), "18\n");
    const { status, log } = await host.boot();
    expect(status, log).to.equal(0);
    expect(existsSync(join(host.volume, "data.new"))).to.equal(false);
  });

  it("waits for the volume, and names it when it is not attached", async () => {
    host = await createHost();
    await rm(join(host.root, "dev/sdf"));
    const { status, log } = await host.boot();
    expect(status).to.equal(1);
    expect(log).to.include("waiting for /dev/sdf to be attached");
    expect(log).to.include("FAILED: no /dev/sdf after 4 s: is the data volume attached to this instance?");
  });

  it("names the parameter that it cannot read, and tries again by itself", async () => {
    host = await createHost();
    await rm(join(host.awsFolder, "ssm", `${PREFIX}/etl-writer-password.secure`));
    const { status, log } = await host.boot();
    expect(status).to.equal(1);
    expect(log).to.include(`FAILED: cannot read the parameter ${PREFIX}/etl-writer-password`);
    expect(await host.calls()).to.include("systemctl start --no-block clickstream-setup.service");
  });

  it("makes the web shop's database with its own two roles and nothing of the warehouse", async () => {
    const { log } = await booted({ roleSet: "web", database: "clickstream_web" });
    expect(log).to.not.include("migrations");
    expect(await host.calls()).to.include(
      "systemctl enable -q --now clickstream-setup.timer clickstream-passwords.timer clickstream-journals.timer clickstream-backup.timer clickstream-patch.timer\n",
    );
    const database = "clickstream_web";
    const owner = { user: "web_owner", password: PASSWORDS.dwh_owner ?? "", database, from: "127.0.0.1" };
    await visit(host, owner, "CREATE TABLE orders (id int GENERATED BY DEFAULT AS IDENTITY)");
    const app = { user: "web_app", database };
    expect(await visit(host, app, "INSERT INTO orders DEFAULT VALUES RETURNING id")).to.deep.equal([
      { id: 1 },
    ]);
    expect((await failureOf(visit(host, app, "DROP TABLE orders"))).message).to.match(/must be owner/);
    expect(
      await visit(host, app, "SELECT rolname FROM pg_roles WHERE rolname ~ '^(dwh|etl|dash)'"),
    ).to.deep.equal([]);
  });
});

/** What the setup writes on the volume and the host, by the SHA-256 of each file. */
async function filesOf(host: WarehouseHost): Promise<Record<string, string>> {
  const data = join(host.volume, "data");
  const names = [
    "postgresql.conf",
    "pg_hba.conf",
    "pg_ident.conf",
    "conf.d/clickstream.conf",
    "server.crt",
    "server.key",
  ];
  const paths = [
    ...names.map((name) => join(data, name)),
    ...["ca.crt", "ca.key"].map((name) => join(host.volume, "tls", name)),
    ...["etc/fstab", "etc/clickstream/dashboard.env"].map((name) => join(host.root, name)),
  ];
  const sums: Record<string, string> = {};
  for (const path of paths)
    sums[path] = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  return sums;
}

/** Writes a file that leaves `leftMb` of the volume. */
async function fill(path: string, volume: string, leftMb: number): Promise<void> {
  const { bavail, bsize } = await statfs(volume);
  await writeFile(path, Buffer.alloc(bavail * bsize - leftMb * MIB));
}
