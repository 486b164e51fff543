import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

describe("dashboard:bundle", () => {
  const out = join(mkdtempSync(join(tmpdir(), "bundle-")), "dist");
  after(() => rmSync(join(out, ".."), { recursive: true }));
  const run = (option: string) =>
    spawnSync("npm", ["run", "--silent", "dashboard:bundle", "--", option], {
      encoding: "utf8",
      env: { ...process.env, BUNDLE_DIST: out },
    });

  it("says what it does when asked for help, and builds nothing", () => {
    const { status, stdout } = run("--help");
    expect([status, existsSync(out)]).to.deep.equal([0, false]);
    expect(stdout)
      .to.match(/^Usage: npm run dashboard:bundle/)
      .and.include("DEBIAN_MIRROR");
  });

  it("refuses what it does not know", () => {
    const { status, stderr } = run("--fast");
    expect([status, existsSync(out)]).to.deep.equal([2, false]);
    expect(stderr).to.include('"--fast"');
  });
});
