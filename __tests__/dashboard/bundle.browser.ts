import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { launchDashboard } from "../../cli/dashboard/launch.js";
import { bundleRuntime } from "../../cli/dashboard/runtime.js";
import { choosePort } from "../../connect/local-port.js";
import { asReader, smallShop } from "../../testing/dashboard/warehouse.js";
import type { TestDatabase } from "../../testing/postgres.js";

const DIST = fileURLToPath(new URL("../../dashboard/dist/", import.meta.url));
const BUNDLE = join(DIST, "dashboard-runtime.tar.zst");

describe("the dashboard's bundle", () => {
  let database: TestDatabase;
  let folder: string;
  before(async function () {
    if (!existsSync(BUNDLE) || process.getuid?.() !== 0) {
      console.log('      skipped: needs root and the bundle ("npm run dashboard:bundle")');
      return this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "dashboard-bundle-"));
    database = await smallShop();
  });
  after(async () => {
    await database?.drop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it("has the sum that stands beside it, and a list of its packages with their versions", () => {
    execFileSync("sha256sum", ["-c", "--quiet", `${BUNDLE}.sha256`], { cwd: DIST });
    const list = execFileSync("cat", [join(DIST, "dashboard-runtime.packages.txt")], { encoding: "utf8" });
    expect(list).to.match(/^r-cran-shiny \d/m);
  });

  it("serves the dashboard from a chroot, as a user without rights", async () => {
    const runtime = bundleRuntime(BUNDLE, folder);
    const root = runtime.args[0] ?? "";
    const command = { ...runtime, args: ["--userspec=65534:65534", ...runtime.args] };
    const dashboard = await launchDashboard({
      runtime: command,
      connection: await asReader(database),
      port: await choosePort(0),
    });
    try {
      const page = await fetch(`${dashboard.url}?lang=vi`);
      expect(page.status).to.equal(200);
      expect(await page.text()).to.include("Bảng theo dõi clickstream");
    } finally {
      await dashboard.stop();
    }
    const writable = spawnSync("find", [join(root, "srv"), "-perm", "/022"], { encoding: "utf8" });
    expect(writable.stdout).to.equal("");
  });
});
