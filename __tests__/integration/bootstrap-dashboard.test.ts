import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { choosePort } from "../../connect/local-port.js";
import { BUCKET, bootedHost, skipWithout } from "../../testing/host/fixture.js";
import type { WarehouseHost } from "../../testing/host/host.js";

const KEY = "dashboard/dashboard-runtime.tar.zst";

describe("the dashboard bundle on a warehouse host", () => {
  let host: WarehouseHost;
  let port: string;
  let good: string;

  before(async function () {
    for (const program of ["zstd", "curl"]) skipWithout(this, missing(program));
    port = `${await choosePort(0)}`;
    ({ host } = await bootedHost(this, { dashboardPort: port }));
  });
  after(() => host?.stop());

  const home = () => join(host.root, "var/lib/clickstream/dashboard");
  const current = async () => (await readlink(join(home(), "current"))).replace("releases/", "");
  const answer = async () => (await fetch(`http://127.0.0.1:${port}/`)).text();

  /** Puts a bundle and its sum in the bucket. @returns the sum */
  async function publish(bundle: Buffer, claimed?: string): Promise<string> {
    const sum = claimed ?? createHash("sha256").update(bundle).digest("hex");
    await host.putObject(BUCKET, KEY, bundle);
    await host.putObject(BUCKET, `${KEY}.sha256`, `${sum}  dashboard-runtime.tar.zst\n`);
    return sum;
  }

  it("that is not there yet is a line in the log, not a failure", async () => {
    const { status, log } = await host.run("dashboard-update");
    expect({ status, log }).to.deep.equal({
      status: 0,
      log: `clickstream: no dashboard bundle at s3://${BUCKET}/${KEY} yet\n`,
    });
  });

  it("that does not answer is taken away again when there was none before", async () => {
    const sum = await publish(await bundle("exit 1"));
    const { status, log } = await host.run("dashboard-update");
    expect(status).to.equal(1);
    expect(log).to.include(`FAILED: the dashboard bundle ${sum} does not answer; what stays is none`);
    expect(await readdir(join(home(), "releases"))).to.deep.equal([]);
    expect(await host.calls()).to.include("systemctl stop clickstream-dashboard.service");
  });

  it("is unpacked, run from its own root and answers with the connection of dashboard_reader", async () => {
    good = await publish(await bundle(serving("first")));
    const { status, log } = await host.run("dashboard-update");
    expect(status, log).to.equal(0);
    expect(log).to.include(`the dashboard is now ${good}`);
    expect(await current()).to.equal(good);
    const unit = join(host.root, "etc/systemd/system/clickstream-dashboard.service.d/release.conf");
    expect(await readFile(unit, "utf8")).to.equal(`[Service]\nRootDirectory=${home()}/releases/${good}\n`);
    expect(await answer()).to.equal(
      `first as dashboard_reader on clickstream_dw at ${host.root}/run/postgresql`,
    );
    expect(await readdir(join(home(), `releases/${good}/run`)), "a place to bind the socket to").to.include(
      "postgresql",
    );
  });

  it("that is the running one is not touched again", async () => {
    const calls = (await host.calls()).length;
    expect(await host.run("dashboard-update")).to.deep.equal({ status: 0, log: "" });
    expect((await host.calls()).slice(calls)).to.not.include("systemctl restart");
  });

  const BAD: [string, () => Promise<Buffer>, string | undefined, RegExp][] = [
    [
      "has another sum",
      () => bundle(serving("forged")),
      "0".repeat(64),
      /was not fetched whole; the timer tries again/,
    ],
    [
      "does not unpack",
      async () => Buffer.from("not zstd at all"),
      undefined,
      /does not unpack to a dashboard/,
    ],
    [
      "is cut short",
      async () => (await bundle(serving("cut"))).subarray(0, 90),
      undefined,
      /does not unpack/,
    ],
    ["holds no dashboard", () => bundle(null), undefined, /does not unpack to a dashboard/],
    [
      "is built for another processor",
      () => bundle(serving("arm"), true),
      undefined,
      /another processor than this host's/,
    ],
    ["ends at once", () => bundle("exit 3"), undefined, /does not answer; what stays is [0-9a-f]{64}/],
    [
      "never listens",
      () => bundle("exec sleep 30"),
      undefined,
      /does not answer; what stays is [0-9a-f]{64}/,
    ],
  ];
  for (const [what, make, claimed, reason] of BAD) {
    it(`that ${what} leaves the one before it running`, async () => {
      await publish(await make(), claimed);
      const { status, log } = await host.run("dashboard-update");
      expect(status, log).to.equal(1);
      expect(log).to.match(reason);
      expect(await current()).to.equal(good);
      expect(await answer()).to.match(/^first /);
      expect(await readdir(join(home(), "releases"))).to.deep.equal([good]);
    });
  }

  it("that was refused is not tried at every turn of the timer", async () => {
    const { status, log } = await host.run("dashboard-update");
    expect(status).to.equal(0);
    expect(log).to.match(/was refused before: not tried again/);
  });

  it("that is newer takes over; the one before it stays on the disk, older ones go", async () => {
    const second = await publish(await bundle(serving("second")));
    expect((await host.run("dashboard-update")).status).to.equal(0);
    expect(await answer()).to.match(/^second /);
    expect((await readdir(join(home(), "releases"))).sort()).to.deep.equal([good, second].sort());
    const third = await publish(await bundle(serving("third")));
    expect((await host.run("dashboard-update")).status).to.equal(0);
    expect((await readdir(join(home(), "releases"))).sort()).to.deep.equal([second, third].sort());
  });

  it("is restarted with the new password of dashboard_reader, and only then", async () => {
    const restarts = async () =>
      (await host.calls()).split("systemctl try-restart clickstream-dashboard").length - 1;
    const before = await restarts();
    await host.run("setup");
    expect(await restarts()).to.equal(before);
    await host.setParameter("/sbw/test/dwh/dashboard-reader-password", "rotated");
    await host.run("setup");
    expect(await restarts()).to.equal(before + 1);
  });
});

/** A process that answers every request with a word and its connection. */
function serving(word: string): string {
  const script = `
    const { PGUSER, PGDATABASE, PGHOST, PGPASSWORD, DASHBOARD_PORT } = process.env;
    if (!PGPASSWORD) process.exit(4);
    require("node:http").createServer((request, answer) =>
      answer.end("${word} as " + PGUSER + " on " + PGDATABASE + " at " + PGHOST)).listen(DASHBOARD_PORT, "127.0.0.1");`;
  return `exec "${process.execPath}" -e '${script}'`;
}

/** A root file system whose Rscript is a shell script; null: one without a dashboard. @param foreign R is no program of here */
async function bundle(rscript: string | null, foreign = false): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "bundle-"));
  try {
    const root = join(folder, "root");
    await mkdir(join(root, "usr/bin"), { recursive: true });
    if (rscript !== null) {
      await mkdir(join(root, "srv/dashboard"), { recursive: true });
      await writeFile(join(root, "srv/dashboard/serve.R"), "");
      await writeFile(join(root, "usr/bin/Rscript"), `#!/bin/sh\n${rscript}\n`);
      await chmod(join(root, "usr/bin/Rscript"), 0o755);
    }
    if (foreign) {
      await mkdir(join(root, "usr/lib/R/bin/exec"), { recursive: true });
      await writeFile(join(root, "usr/lib/R/bin/exec/R"), Buffer.alloc(64, 0xff));
    }
    const file = join(folder, "bundle.tar.zst");
    execFileSync("tar", ["-C", root, "--zstd", "-cf", file, "."]);
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function missing(program: string): string | null {
  try {
    execFileSync("which", [program], { stdio: "ignore" });
    return null;
  } catch {
    return `${program} is missing: \`apt-get install ${program}\` brings it.`;
  }
}
