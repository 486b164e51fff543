import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { localSource } from "../../../cli/etl/local-source.js";
import { select } from "../../../cli/etl/source.js";

describe("what --source takes", () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), "source-"));
    for (const file of [
      "bucket/events/2025/12/06/a.ndjson",
      "bucket/events/2025/12/06/05/b.json",
      "bucket/events/2025/12/07/c.json",
      "bucket/other/d.json",
      "flat/one.json",
      "flat/deep/two.ndjson.gz",
      "flat/notes.md",
    ]) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), "{}");
    }
  });
  after(() => rmSync(root, { recursive: true }));

  async function keys(
    place: string,
    more: { limit?: number; from?: string; to?: string } = {},
  ): Promise<string[]> {
    const { source, prefix } = await select({ source: join(root, place), ...more }, {});
    const found: string[] = [];
    for await (const { objects } of source.list(prefix ?? "events/"))
      found.push(...objects.map(({ key }) => key));
    return found.sort();
  }

  it("a directory of the bucket's layout, with what lies below events/", async () => {
    expect(await keys("bucket")).to.deep.equal([
      "events/2025/12/06/05/b.json",
      "events/2025/12/06/a.ndjson",
      "events/2025/12/07/c.json",
    ]);
  });

  it("any other directory as it is: every file of raw events, by its path in it", async () => {
    expect(await keys("flat")).to.deep.equal(["deep/two.ndjson.gz", "one.json"]);
  });

  it("one file, which keeps the key that it has in its bucket", async () => {
    expect(await keys("flat/one.json")).to.deep.equal(["one.json"]);
    expect(await keys("bucket/events/2025/12/06/05/b.json")).to.deep.equal(["events/2025/12/06/05/b.json"]);
    const [whole, single] = await Promise.all(
      ["bucket", "bucket/events/2025/12/07/c.json"].map((place) => localSource(join(root, place))),
    );
    expect(single?.source.bucket).to.equal(whole?.source.bucket);
  });

  it("a glob", async () => {
    expect(await keys("bucket/events/2025/12/*/*.json")).to.deep.equal(["events/2025/12/07/c.json"]);
    expect(await keys("flat/**/*.gz")).to.deep.equal(["deep/two.ndjson.gz"]);
    expect(await keys("flat/*.csv")).to.deep.equal([]);
  });

  it("the first objects of any of them", async () => {
    expect(await keys("bucket", { limit: 2 })).to.have.length(2);
  });

  it("the bundled samples, the same objects by whatever path", async () => {
    const [usual, byPath] = await Promise.all(
      [{}, { source: "samples" }].map(async (options) => {
        const { source } = await select(options, {});
        const found: string[] = [];
        for await (const { objects } of source.list("events/2026/11/20/"))
          found.push(...objects.map(({ bucket, key, etag }) => `${bucket} ${key} ${etag}`));
        return found;
      }),
    );
    expect(byPath).to.deep.equal(usual);
    expect(usual).not.to.have.length(0);
  });

  it("the bundled samples, as old as their keys say: git keeps no times", async () => {
    const { source } = await select({}, {});
    for await (const { objects } of source.list("events/2026/11/14/"))
      expect(objects[0]?.lastModified.toISOString(), "a day that came late").to.equal(
        "2026-11-17T02:59:59.000Z",
      );
    for await (const { objects } of source.list("events/2026/11/20/"))
      for (const { key, lastModified } of objects)
        expect(lastModified.toISOString(), key).to.match(/^2026-11-20T\d\d:59:59/);
  });

  const refusals: readonly [what: string, options: object, says: RegExp][] = [
    ["nothing", { source: "" }, /--source is empty/],
    ["what is not there", { source: "/no/such/place" }, /no file or directory \/no\/such\/place/],
    ["a bucket without a name", { source: "s3://" }, /--source must be .* s3:\/\/bucket/],
  ];
  for (const [what, options, says] of refusals)
    it(`refuses ${what}, in a sentence`, async () => {
      const error = await select(options, {}).catch((reason: Error) => reason);
      expect((error as Error).name).to.equal("UsageError");
      expect((error as Error).message).to.match(says);
    });

  it("refuses a window of a folder without days", async () => {
    const error = await keys("flat", { from: "2025-12-06", to: "2025-12-07" }).catch(
      (reason: Error) => reason,
    );
    expect((error as Error).message).to.match(/need folders events\/YYYY\/MM\/DD/);
  });
});
