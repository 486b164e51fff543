import { execFileSync } from "node:child_process";
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import {
  BUCKET,
  bootedHost,
  failureOf,
  setPassword,
  TUNNEL_ADDRESS,
  visit,
} from "../../testing/host/fixture.js";
import type { WarehouseHost } from "../../testing/host/host.js";

describe("what the warehouse's host does by timers", () => {
  let host: WarehouseHost;

  before(async function () {
    ({ host } = await bootedHost(this));
  });
  after(() => host?.stop());

  describe("passwords", () => {
    it("does nothing while no parameter has a new version", async () => {
      expect(await host.run("passwords")).to.deep.equal({ status: 0, log: "" });
    });

    it("picks up a new password without a setup; the old one is refused from then on", async () => {
      await setPassword(host, "etl_writer", "rotated");
      await visit(host, {}, "SELECT 1"); // the old one still holds
      const { status, log } = await host.run("passwords");
      expect(status, log).to.equal(0);
      expect(log).to.include("picked up new passwords");
      await visit(host, { password: "rotated" }, "SELECT 1");
      expect((await failureOf(visit(host, {}, "SELECT 1"))).code).to.equal("28P01");
      expect(await host.run("passwords")).to.deep.equal({ status: 0, log: "" });
    });

    it("looks again when a parameter could not be read", async () => {
      await setPassword(host, "etl_writer", "rotated again");
      const file = join(host.awsFolder, "ssm/sbw/test/dwh/dashboard-reader-password.secure");
      const kept = await readFile(file);
      await rm(file);
      expect((await host.run("passwords")).status).to.not.equal(0);
      await writeFile(file, kept);
      expect((await host.run("passwords")).log).to.include("picked up new passwords");
      await visit(host, { password: "rotated again" }, "SELECT 1");
    });
  });

  describe("state", () => {
    const newest = async () =>
      (
        await visit(
          host,
          { user: "dashboard_reader", from: TUNNEL_ADDRESS },
          "SELECT * FROM etl.host_state ORDER BY at DESC LIMIT 1",
        )
      )[0] ?? {};

    it("is a row with disk, memory, connections, and no failed unit on a host that is well", async () => {
      const { status, log } = await host.run("state");
      expect(status, log).to.equal(0);
      const row = await newest();
      expect(row).to.include({ memory_size_mb: "2048", memory_free_mb: "1024", max_connections: 40 });
      expect(row.load).to.be.closeTo(0.42, 0.001);
      expect(Number(row.data_free_mb)).to.be.greaterThan(0).and.at.most(Number(row.data_size_mb));
      expect(Number(row.database_bytes)).to.be.greaterThan(1_000_000);
      expect(Number(row.wal_bytes)).to.be.greaterThan(0);
      expect(row.failed_units).to.deep.equal([]);
      expect(row.backup_at).to.equal(null);
      expect(row.certificate_until.getTime()).to.be.greaterThan(Date.now() + 390 * 86_400_000);
    });

    it("names the units that failed", async () => {
      await writeFile(
        join(host.root, "run/failed-units"),
        "clickstream-backup.service\npostgresql.service\n",
      );
      expect((await host.run("state")).status).to.equal(0);
      await rm(join(host.root, "run/failed-units"));
      expect((await newest()).failed_units).to.deep.equal([
        "clickstream-backup.service",
        "postgresql.service",
      ]);
    });

    it("bounds what the journal says, whatever bytes are in it", async () => {
      await mkdir(join(host.root, "var/log"), { recursive: true });
      const lines = [
        `${"ü".repeat(200)}`,
        "tab\tnul\0back\\slash\\.",
        "\xff\xfe",
        ...Array(80).fill("again"),
      ];
      await writeFile(join(host.root, "var/log/journal.txt"), Buffer.from(lines.join("\n"), "utf8"));
      const { status, log } = await host.run("state");
      expect(status, log).to.equal(0);
      const { journal_errors } = await newest();
      expect(journal_errors).to.have.length(50).and.include("tabnulbackslash.").and.include("ü".repeat(100));
    });

    it("keeps 30 days", async () => {
      const owner = { user: "dwh_owner", from: TUNNEL_ADDRESS };
      await visit(host, owner, "UPDATE etl.host_state SET at = at - interval '31 days'");
      await host.run("state");
      expect(await visit(host, owner, "SELECT count(*)::int AS n FROM etl.host_state")).to.deep.equal([
        { n: 1 },
      ]);
    });
  });

  describe("journals", () => {
    const stored = async () => {
      const folder = join(host.awsFolder, "s3", BUCKET, "journals");
      const names = (await readdir(folder, { recursive: true }))
        .filter((name) => name.endsWith(".zst"))
        .sort();
      return Promise.all(names.map(async (name) => unpack(await readFile(join(folder, name)))));
    };

    it("stores what is new, and nothing twice", async () => {
      await writeFile(join(host.root, "var/log/journal.txt"), "one\ntwo\n");
      expect((await host.run("journals")).status).to.equal(0);
      await appendFile(join(host.root, "var/log/journal.txt"), "three\n");
      await waitForNextSecond();
      expect((await host.run("journals")).status).to.equal(0);
      expect(await stored()).to.deep.equal(["one\ntwo\n", "three\n"]);
    });

    it("stores it the next time when the bucket could not be written", async () => {
      await appendFile(join(host.root, "var/log/journal.txt"), "four\n");
      const folder = join(host.awsFolder, "s3", BUCKET);
      execFileSync("mv", [join(folder, "journals"), join(folder, "kept")]);
      await writeFile(join(folder, "journals"), "in the way");
      expect((await host.run("journals")).log).to.include("FAILED: cannot write");
      execFileSync("rm", [join(folder, "journals")]);
      execFileSync("mv", [join(folder, "kept"), join(folder, "journals")]);
      await waitForNextSecond();
      expect((await host.run("journals")).status).to.equal(0);
      expect((await stored()).at(-1)).to.equal("four\n");
    });
  });
});

const waitForNextSecond = () => new Promise((resolve) => setTimeout(resolve, 1001));

function unpack(bytes: Buffer): string {
  return execFileSync("zstd", ["-dc"], { input: bytes, encoding: "utf8" });
}
