import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { choosePort } from "../../connect/local-port.js";
import { requireR } from "../../testing/dashboard/tools.js";
import { emptyWarehouse } from "../../testing/dashboard/warehouse.js";
import type { TestDatabase } from "../../testing/postgres.js";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const BUNDLE = join(PROJECT, "dashboard/dist/dashboard-runtime.tar.zst");

describe("npm run dashboard", () => {
  let database: TestDatabase;
  before(async () => {
    database = await emptyWarehouse();
  });
  after(async () => database?.drop());

  async function start(env: NodeJS.ProcessEnv) {
    const { host, port, user, password, database: name } = database.config;
    const own = {
      DWH_HOST: host,
      DWH_PORT: `${port}`,
      DWH_USER: user,
      DWH_PASSWORD: password,
      DWH_DATABASE: name,
    };
    const child = spawn(process.execPath, ["bin/clickstream.js", "dashboard"], {
      cwd: PROJECT,
      env: { ...process.env, ...own, DWH_SSL: "disable", ...env },
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (said += text));
    const ended = once(child, "close").then(([code]) => ({ code, said }));
    return { child, ended, said: () => said };
  }

  it("says the address, serves it, and ends on Ctrl-C without leaving R behind", async function () {
    requireR(this);
    const port = await choosePort(0);
    const { child, ended, said } = await start({ DASHBOARD_PORT: `${port}` });
    while (!said().includes("Ctrl-C") && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(said()).to.include(`http://127.0.0.1:${port}/`);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).to.equal(200);
    child.kill("SIGINT");
    expect((await ended).code).to.equal(0);
    expect(await choosePort(port), "the port is free again").to.equal(port);
  });

  it("says in a sentence what to install where there is neither R nor the bundle", async function () {
    if (existsSync(BUNDLE)) return this.skip(); // built here, and then it is used
    const folder = mkdtempSync(join(tmpdir(), "no-r-"));
    symlinkSync(process.execPath, join(folder, "node"));
    const { code, said } = await (await start({ PATH: folder })).ended;
    rmSync(folder, { recursive: true });
    expect(code).to.equal(1);
    expect(said).to.match(
      /^R is not installed: build the bundle with "npm run dashboard:bundle", or run "apt-get install r-base-core .*" \(Debian 13\)\.\n$/,
    );
  });
});
