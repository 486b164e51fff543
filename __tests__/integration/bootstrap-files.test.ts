import { appendFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { HOST_FILES_KEY } from "../../stacks/names.js";
import { BUCKET, createHost, skipWithoutHost } from "../../testing/host/fixture.js";
import type { WarehouseHost } from "../../testing/host/host.js";

describe("the files that a PostgreSQL host fetches at its first boot", () => {
  let host: WarehouseHost;
  const object = () => join(host.awsFolder, "s3", BUCKET, HOST_FILES_KEY);

  before(function () {
    skipWithoutHost(this);
  });
  beforeEach(async () => {
    host = await createHost();
  });
  afterEach(() => host.stop());

  it("are not run when they are not those that the deploy had in mind", async () => {
    await appendFile(object(), 'touch "$ROOT/someone-was-here"\n');
    const { status, log } = await host.boot();
    expect(status).to.equal(1);
    expect(log).to.match(/s3:\/\/artifacts\/host\/files\.sh has the SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}/);
    expect(log).to.include("FAILED: there are no files to set this host up with");
    await expectMissing("someone-was-here");
    await expectMissing("usr/local/lib/clickstream/setup");
  });

  it("are said to be missing when they cannot be fetched", async () => {
    await rm(object());
    const { status, log } = await host.boot();
    expect(status).to.equal(1);
    expect(log).to.include("reboot it once they can be fetched");
  });

  it("need no bucket at a later boot, and those of an earlier boot do when newer ones cannot be had", async () => {
    const first = await host.boot();
    expect(first.status, first.log).to.equal(0);
    await rm(object());
    const again = await host.boot();
    expect(again.status, again.log).to.equal(0);
    expect(again.log).to.not.include("earlier boot");
    await rm(join(host.root, "usr/local/lib/clickstream/sha256"));
    const older = "0".repeat(64);
    await appendFile(join(host.root, "usr/local/lib/clickstream/sha256"), `${older}\n`);
    const outdated = await host.boot();
    expect(outdated.status, outdated.log).to.equal(0);
    expect(outdated.log).to.include("going on with the files of an earlier boot");
  });

  async function expectMissing(path: string): Promise<void> {
    const text = await readFile(join(host.root, path)).catch(({ code }: NodeJS.ErrnoException) => code);
    expect(text, path).to.equal("ENOENT");
  }
});
