import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { directorySource, runEtl } from "etl-lib";
import { findFaults, writeFiles } from "../../fuzz/rounds.js";
import { expectIdentity } from "../../testing/lab/identity.js";
import { type Lab, openLab } from "../../testing/lab/lab.js";

/** The short slice of `npm run fuzz`, always the same. */
const SEED = 20_261_124;
const FILES = 300;

describe("integration: files of every shape, whole and broken", function () {
  this.timeout(300_000).slow(60_000);
  let lab: Lab;
  let folder: string;
  before(async () => {
    lab = await openLab();
    folder = mkdtempSync(join(tmpdir(), "fuzz-"));
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await lab.close();
  });

  it("are all read to their end: whole ones are loaded, and the identity holds", async () => {
    const files = writeFiles(folder, SEED, 0, FILES);
    const source = await directorySource(folder);
    const summary = await runEtl({
      source,
      pool: lab.db.pool,
      window: null,
      trigger: "local",
      batchRows: 500,
    });
    expect([summary.status, summary.error]).to.deep.equal(["succeeded", null]);
    await expectIdentity(lab.db.pool, summary);
    expect(await findFaults(lab.db.pool, files)).to.deep.equal([]);
  });

  it("are the same files for the same seed", () => {
    const contents = () => writeFiles(folder, SEED, 0, 30).map(({ content }) => content.toString("base64"));
    expect(contents()).to.deep.equal(contents());
  });
});
