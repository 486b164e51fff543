import { mkdir, mkdtemp, rm, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { ExtractError, PlanError } from "../../../etl-lib/src/errors.js";
import { directorySource } from "../../../etl-lib/src/extract/directory-source.js";
import { listObjects } from "../../../etl-lib/src/extract/plan.js";
import { parseWindow } from "../../../etl-lib/src/extract/window.js";
import type { SourceObject, SourcePage } from "../../../etl-lib/src/types.js";

describe("directorySource", () => {
  let root: string;

  const write = async (key: string, content = "{}") => {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, key), content);
  };
  const open = () => directorySource(root);
  const list = async (prefix: string, shallow = false) => {
    const pages: SourcePage[] = [];
    for await (const page of (await open()).list(prefix, { shallow })) pages.push(page);
    return {
      objects: pages.flatMap(({ objects }) => objects),
      keys: pages.flatMap(({ objects }) => objects.map(({ key }) => key)).sort(),
      folders: pages.flatMap(({ folders }) => folders).sort(),
      pages: pages.length,
    };
  };
  const read = async (object: SourceObject): Promise<string> => {
    const parts: Uint8Array[] = [];
    for await (const part of (await open()).read(object)) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  const failure = (work: Promise<unknown>): Promise<ExtractError> =>
    work.then(
      () => Promise.reject(new Error("it did not fail")),
      (error) => error as ExtractError,
    );

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "directory-source-"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it("is named by its path, which the ledger knows its objects by", async () => {
    expect((await open()).bucket).to.equal(`file://${root}`);
  });

  it("refuses what is not a directory, naming the option", async () => {
    await write("file");
    for (const path of [join(root, "missing"), join(root, "file")]) {
      const error = await failure(directorySource(path));
      expect(error).to.be.instanceOf(PlanError).and.to.include({ kind: "fatal", stage: "plan" });
      expect(error.message).to.equal(`The source ${path} is not a directory: check --source.`);
    }
  });

  it("is the same place by whatever link one comes there", async () => {
    await write("data/events/a.json");
    await symlink(join(root, "data"), join(root, "link"));
    const [direct, linked] = [
      await directorySource(join(root, "data")),
      await directorySource(join(root, "link")),
    ];
    expect(linked.bucket).to.equal(direct.bucket);
  });

  it("lists a name that is not UTF-8, and says so where it is read; its neighbours are not in question", async () => {
    await write("events/good.json");
    const bad = Buffer.concat([
      Buffer.from(join(root, "events/bad-")),
      Buffer.from([0xff]),
      Buffer.from(".json"),
    ]);
    await writeFile(bad, "{}");
    await mkdir(Buffer.concat([Buffer.from(join(root, "events/folder-")), Buffer.from([0xfe])]));
    const { objects, keys } = await list("events/");
    expect(keys).to.deep.equal(["events/bad-\ufffd.json", "events/folder-\ufffd", "events/good.json"]);
    for (const object of objects.filter(({ key }) => key.includes("\ufffd")))
      expect(await failure(read(object))).to.include({
        kind: "fatal",
        message: `${object.key} cannot be read: its name is not UTF-8: rename it.`,
      });
    expect(await read(objects.find(({ key }) => key === "events/good.json") as SourceObject)).to.equal("{}");
  });

  it("gives no half of a file that is written while it is read", async () => {
    await write("events/a.json", "x".repeat(300_000));
    const [object] = (await list("events/")).objects;
    const error = await failure(
      (async () => {
        for await (const _ of (await open()).read(object as SourceObject))
          await write("events/a.json", "y".repeat(10));
      })(),
    );
    expect(error).to.include({ kind: "changed" });
  });

  it("lists folders in the order of their names, as S3 does", async () => {
    const days = Array.from(
      { length: 28 },
      (_, day) => `events/2025/02/${String(day + 1).padStart(2, "0")}/a`,
    );
    for (const key of days.toReversed()) await write(key);
    expect((await list("events/")).objects.map(({ key }) => key)).to.deep.equal(days);
  });

  it("lists files as keys, with size, time and a version", async () => {
    await write("events/2025/12/06/05/e.json", "12345");
    await utimes(join(root, "events/2025/12/06/05/e.json"), new Date(), new Date("2025-12-06T05:00:01.250Z"));
    const { objects } = await list("events/");
    expect(objects).to.have.length(1);
    expect(objects[0]).to.deep.include({
      bucket: `file://${root}`,
      key: "events/2025/12/06/05/e.json",
      size: 5,
      lastModified: new Date("2025-12-06T05:00:01.250Z"),
    });
    expect(objects[0]?.etag).to.match(/^\S+$/);
  });

  it("lists everything below a prefix, empty and odd files included", async () => {
    const keys = [
      "events/a",
      "events/.hidden",
      "events/x/y/z.gz",
      "events/x/sự kiện %20+.json",
      "events/x/empty",
    ];
    for (const key of keys) await write(key, key.endsWith("empty") ? "" : "{}");
    await mkdir(join(root, "events/no-files"));
    await write("other/b");
    expect(await list("events/")).to.deep.include({ keys: [...keys].sort(), folders: [] });
  });

  it("lists, shallow, only the files of a folder and the names of its folders", async () => {
    for (const key of ["d/e.json", "d/05/e.json", "d/05/06/e.json", "d/late/e.json"]) await write(key);
    expect(await list("d/", true)).to.deep.include({ keys: ["d/e.json"], folders: ["d/05/", "d/late/"] });
  });

  it("takes a prefix that ends within a name, as a bucket does", async () => {
    for (const key of ["events/2", "events/20", "events/201/e", "events/21/e"]) await write(key);
    expect((await list("events/20")).keys).to.deep.equal(["events/20", "events/201/e"]);
    expect((await list("eve")).keys).to.have.length(4);
    expect((await list("")).keys).to.have.length(4);
  });

  it("finds nothing where there is no such folder", async () => {
    expect(await list("events/2025/12/06/")).to.deep.include({ keys: [], folders: [] });
  });

  it("lists 1,001 files in two pages", async () => {
    await mkdir(join(root, "d"));
    await Promise.all(Array.from({ length: 1001 }, (_, n) => writeFile(join(root, "d", `${n}`), "")));
    const { keys, pages } = await list("d/");
    expect(new Set(keys).size).to.equal(1001);
    expect(pages).to.equal(2);
  });

  it("is planned like a bucket: both layouts, a window that cuts days", async () => {
    for (const key of ["06/05/in", "06/06/out", "06/in", "06/odd/in", "07/out"])
      await write(`events/2025/12/${key}`);
    const window = parseWindow("2025-12-06T05:00Z", "2025-12-06T06:00Z");
    const found: string[] = [];
    for await (const page of listObjects({ source: await open(), window }))
      found.push(...page.map(({ key }) => key));
    expect(found.sort()).to.deep.equal(
      ["06/05/in", "06/in", "06/odd/in"].map((key) => `events/2025/12/${key}`),
    );
  });

  it("reads the bytes of a file", async () => {
    const content = "Thêm vào giỏ hàng\n".repeat(20_000);
    await write("events/e.json", content);
    const [object] = (await list("events/")).objects;
    expect(await read(object as SourceObject)).to.equal(content);
  });

  describe("a file that is no longer the one that was listed", () => {
    let object: SourceObject;
    beforeEach(async () => {
      await write("events/e.json", "{}");
      [object] = (await list("events/")).objects as [SourceObject];
    });

    it("has another version after it was overwritten, by its size or by its time", async () => {
      await write("events/e.json", "{ }");
      expect((await list("events/")).objects[0]?.etag).to.not.equal(object.etag);
      await write("events/e.json", "{}");
      await utimes(join(root, "events/e.json"), new Date(), new Date(object.lastModified.getTime() + 2000));
      expect((await list("events/")).objects[0]?.etag).to.not.equal(object.etag);
    });

    for (const [what, change] of [
      ["overwritten", () => write("events/e.json", "{ }")],
      ["removed", () => unlink(join(root, "events/e.json"))],
    ] as const)
      it(`is "changed" when it was ${what}`, async () => {
        await change();
        const error = await failure(read(object));
        expect(error).to.be.instanceOf(ExtractError);
        expect(error).to.include({
          kind: "changed",
          stage: "extract",
          object: `file://${root}/events/e.json`,
        });
      });
  });

  it("follows a link to a file, and passes over a link to nothing", async () => {
    await write("elsewhere/e.json", '{"a":1}');
    await mkdir(join(root, "events"));
    await symlink(join(root, "elsewhere/e.json"), join(root, "events/link.json"));
    await symlink(join(root, "nothing"), join(root, "events/dangling"));
    const { objects, keys } = await list("events/");
    expect(keys).to.deep.equal(["events/link.json"]);
    expect(await read(objects[0] as SourceObject)).to.equal('{"a":1}');
  });

  it("says so, instead of leaving files out, when a folder is a link", async () => {
    await write("elsewhere/e.json");
    await symlink(join(root, "elsewhere"), join(root, "events"));
    const error = await failure(list(""));
    expect(error).to.be.instanceOf(ExtractError).and.to.include({ kind: "fatal" });
    expect(error.message).to.match(/^events cannot be read: it is a link to a folder/);
  });

  it("says so when a folder of the layout is a file", async () => {
    await write("events", "{}");
    const error = await failure(list("events/"));
    expect(error).to.be.instanceOf(ExtractError).and.to.include({ kind: "fatal" });
    expect(error.message).to.include("cannot be read").and.to.include(root);
  });
});
