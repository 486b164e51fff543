import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { HOST_FILES } from "../../stacks/bootstrap/host-files.js";
import { renderHostFiles } from "../../stacks/bootstrap/render.js";
import { skipWithout, userData } from "../../testing/host/fixture.js";
import { firstBootScript } from "../../testing/host/host.js";

const SOURCES = new URL("../../stacks/bootstrap/", import.meta.url);
const UNITS = HOST_FILES.filter(({ path }) => /\.(service|timer)$/.test(path)).map(({ path }) => path);
const DASHBOARD = "etc/systemd/system/clickstream-dashboard.service";

describe("the scripts and units of a PostgreSQL host", () => {
  let root: string;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "units-"));
    for (const { source, path, mode } of HOST_FILES) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), readFileSync(new URL(source, SOURCES)), {
        mode: Number.parseInt(mode, 8),
      });
    }
    await layEmptyUnits(root);
  });
  after(() => rm(root, { recursive: true, force: true }));

  it("pass shellcheck, each by itself and all as they are carried to the host", async function () {
    skipWithout(this, missing("shellcheck", "shellcheck"));
    const scripts = HOST_FILES.filter(({ source }) => /^host\/[^/]+$/.test(source)).map(
      ({ source }) => source,
    );
    const paths = ["first-boot.sh", ...scripts].map((source) => fileURLToPath(new URL(source, SOURCES)));
    const path = fileURLToPath(new URL("host", SOURCES));
    expect(run("shellcheck", ["--external-sources", `--source-path=${path}`, ...paths])).to.equal("");
    const whole = join(root, "user-data.sh");
    await writeFile(whole, `${firstBootScript(userData())}\n${renderHostFiles()}`);
    expect(run("shellcheck", [whole])).to.equal("");
  });

  it("pass systemd-analyze verify", function () {
    skipWithout(this, missing("systemd-analyze", "systemd"));
    expect(UNITS).to.have.length(19);
    const output = run("systemd-analyze", [
      "verify",
      "--man=no",
      `--root=${root}`,
      ...UNITS.map((path) => join("/", path)),
    ]);
    expect(output).to.equal("");
  });

  it("leave the dashboard little to do harm with, by systemd-analyze security", function () {
    skipWithout(this, missing("systemd-analyze", "systemd"));
    const arguments_ = [
      "security",
      "--offline=true",
      `--root=${root}`,
      "--threshold=20",
      "clickstream-dashboard.service",
    ];
    const output = run("systemd-analyze", arguments_);
    expect(output).to.match(/Overall exposure level for clickstream-dashboard\.service: [01]\.\d OK/);
  });

  it("give the dashboard a read-only root of its own, a user of its own, limits, and loopback alone", () => {
    const unit = readFileSync(join(root, DASHBOARD), "utf8").split("\n");
    expect(unit).to.include.members([
      "ExecStart=/usr/bin/Rscript /srv/dashboard/serve.R",
      "DynamicUser=yes",
      "ProtectSystem=strict",
      "BindReadOnlyPaths=/run/postgresql",
      "IPAddressDeny=any",
      "IPAddressAllow=localhost",
      "MemoryMax=40%",
      "CPUQuota=150%",
      "Restart=on-failure",
      "NoNewPrivileges=yes",
    ]);
    expect(
      unit.filter((line) => /^(ReadWritePaths|StateDirectory|BindPaths|LoadCredential)=/.test(line)),
    ).to.deep.equal([]);
  });
});

/** What the units refer to and the host gets from its packages. */
async function layEmptyUnits(root: string): Promise<void> {
  const targets = [
    "basic",
    "sysinit",
    "shutdown",
    "timers",
    "multi-user",
    "network-online",
    "network",
    "time-set",
    "time-sync",
    "local-fs",
    "umount",
    "default",
  ];
  const system = join(root, "etc/systemd/system");
  for (const name of targets)
    await writeFile(join(system, `${name}.target`), `[Unit]\nDescription=${name}\n`);
  const program = join(root, "usr/bin/Rscript");
  await mkdir(dirname(program), { recursive: true });
  await writeFile(program, "", { mode: 0o755 });
  await writeFile(join(system, "postgresql.service"), "[Service]\nExecStart=/usr/bin/Rscript\n");
}

function run(command: string, args: string[]): string {
  const { stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, SYSTEMD_COLORS: "0", SYSTEMD_PAGER: "" },
  });
  return stdout + stderr;
}

function missing(program: string, debianPackage: string): string | null {
  return spawnSync(program, ["--version"]).error === undefined
    ? null
    : `${program} is missing: \`apt-get install ${debianPackage}\` brings it.`;
}
