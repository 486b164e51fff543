import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { unzipSync } from "fflate";
import { bundleFunction } from "../../functions/etl/bundle.js";
import { HANDLER } from "../../functions/etl/contract.js";

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: a package that is uploaded directly. */
const PACKAGE_LIMIT = 50 * 1024 * 1024;

describe("the function's bundle", function () {
  this.timeout(30_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bundle-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("has the same bytes for the same sources, in whatever time zone and folder it is built", () => {
    const zone = process.env.TZ;
    try {
      process.env.TZ = "Pacific/Kiritimati";
      const one = bundleFunction(join(folder, "one"));
      process.env.TZ = "America/Los_Angeles";
      const other = bundleFunction(join(folder, "other"));
      expect(readFileSync(one.zipPath).equals(readFileSync(other.zipPath))).to.equal(true);
      expect(one.hash).to.equal(other.hash);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  it("gives the hash in the form of Terraform's source_code_hash", () => {
    const { zipPath, hash } = bundleFunction(folder);
    expect(hash).to.equal(createHash("sha256").update(readFileSync(zipPath)).digest("base64"));
  });

  it("holds the entry point that the infrastructure names, and the migrations", () => {
    const { zipPath } = bundleFunction(folder);
    const names = Object.keys(unzipSync(readFileSync(zipPath)));
    expect(names[0]).to.equal(`${HANDLER.replace(/\.[^.]+$/, "")}.mjs`);
    expect(names).to.include("sql/0001_events.sql");
    expect(names.slice(1).every((name) => /^sql\/\d{4}_\w+\.sql$/.test(name))).to.equal(true);
  });

  it("names no path of the machine it was built on, and is far below Lambda's limit", () => {
    const { zipPath } = bundleFunction(folder);
    const zip = readFileSync(zipPath);
    const code = Buffer.from(unzipSync(zip)["etl/index.mjs"] ?? []).toString();
    expect(code).to.not.include(process.cwd());
    expect(zip.length).to.be.lessThan(PACKAGE_LIMIT / 10);
  });
});
