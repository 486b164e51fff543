import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { ExtractError } from "../../../etl-lib/src/errors.js";
import { type RecordsPiece, readObjects } from "../../../etl-lib/src/extract/read-objects.js";
import type { EventChunk } from "../../../etl-lib/src/rows/event-chunk.js";
import { readChunks } from "../../../etl-lib/src/run/read-chunks.js";
import type { SourceObject } from "../../../etl-lib/src/types.js";
import { decodeRows } from "../../../testing/etl-lib/copy-rows.js";
import { MemorySource, type StoredObject } from "../../../testing/etl-lib/memory-source.js";

const MIB = 1024 * 1024;
const named = (eventName: string, eventId?: string) => JSON.stringify({ eventName, eventId });
const key = (name: string) => `events/2025/12/06/05/${name}`;
const ROOMY = { concurrency: 4, batchRows: 1000 };

async function chunksOf(source: MemorySource, options = ROOMY): Promise<EventChunk[]> {
  const chunks: EventChunk[] = [];
  for await (const chunk of readChunks(source, source.objects, options)) chunks.push(chunk);
  return chunks;
}

const stored = (contents: readonly StoredObject["content"][]) =>
  new MemorySource(contents.map((content, n) => ({ key: key(String(n).padStart(5, "0")), content })));

/** Names of the events of a chunk, each with the index of its object. */
const rowsOf = (chunk: EventChunk) =>
  decodeRows(chunk.rows.all().bytes).map((fields, row) => [chunk.objectOfRow[row], fields[2]]);

const talliesOf = (chunks: readonly EventChunk[]) => {
  const sum = new Map<number, { read: number; rejected: number; duplicates: number }>();
  for (const { tallies } of chunks)
    for (const [object, { read, rejected, duplicates }] of tallies) {
      const so = sum.get(object) ?? { read: 0, rejected: 0, duplicates: 0 };
      sum.set(object, {
        read: so.read + read,
        rejected: so.rejected + rejected,
        duplicates: so.duplicates + duplicates,
      });
    }
  return sum;
};

/** read = rows + rejected + duplicates, in every chunk. */
function balances(chunks: readonly EventChunk[]): void {
  for (const { rows, rejects, tallies } of chunks) {
    const all = [...tallies.values()];
    const sum = (of: "read" | "rejected" | "duplicates") =>
      all.reduce((total, tally) => total + tally[of], 0);
    expect(sum("rejected")).to.equal(rejects.length);
    expect(sum("read")).to.equal(rows.count + sum("rejected") + sum("duplicates"));
  }
}

describe("readChunks", () => {
  it("makes rows of the objects, in their order, whatever their layout", async () => {
    const chunks = await chunksOf(
      stored([
        named("a"),
        `[${named("b")},${named("c")}]`,
        gzipSync(`${named("d")}\n${named("e")}\n`),
        `\ufeff${named("f")}${named("g")}`,
      ]),
    );
    expect(chunks.flatMap(rowsOf)).to.deep.equal([
      [0, "a"],
      [1, "b"],
      [1, "c"],
      [2, "d"],
      [2, "e"],
      [3, "f"],
      [3, "g"],
    ]);
    balances(chunks);
  });

  it("knows of every object, also of one without an event", async () => {
    const chunks = await chunksOf(stored(["", named("a"), " \n", "[]", gzipSync("")]));
    expect([...talliesOf(chunks).keys()].sort()).to.deep.equal([0, 1, 2, 3, 4]);
    expect(talliesOf(chunks).get(0)).to.deep.equal({ read: 0, rejected: 0, duplicates: 0 });
  });

  it("makes nothing of no objects", async () => {
    expect(await chunksOf(stored([]))).to.deep.equal([]);
  });

  it("quarantines with cause, detail, raw text and position what cannot be a row", async () => {
    const chunks = await chunksOf(
      stored([`${named("a")}\nbad\n[1]\n{}\n${named("b")}\n`, "7", gzipSync("{}").subarray(0, 6)]),
    );
    const rejects = chunks.flatMap(({ rejects }) => rejects);
    expect(rejects.map(({ object, position, cause, raw }) => [object, position, cause, raw])).to.deep.equal([
      [0, 1, "invalid_json", "bad"],
      [0, 2, "not_an_object", "[1]"],
      [0, 3, "missing_event_name", "{}"],
      [1, 0, "not_an_object", "7"],
      [2, 0, "invalid_gzip", ""],
    ]);
    for (const { detail } of rejects) expect(detail).to.not.equal("");
    expect(talliesOf(chunks).get(0)).to.deep.equal({ read: 5, rejected: 3, duplicates: 0 });
    balances(chunks);
  });

  it("keeps at most 64 KiB of UTF-8 of a reject's text, and no half character", async () => {
    for (const [fill, kept] of [
      ["x", 65536],
      ["ệ", 65535],
      ["🛒", 65535],
    ] as const) {
      const [chunk] = await chunksOf(stored([JSON.stringify({ a: fill.repeat(70_000) })]));
      const raw = chunk?.rejects[0]?.raw as string;
      expect(Buffer.byteLength(raw))
        .to.be.within(kept - 3, kept + 1)
        .and.at.most(65536);
      expect(raw).to.not.include("\ufffd");
      expect(raw.startsWith(`{"a":"${fill}`)).to.equal(true);
    }
  });

  it("counts an event that comes twice in a chunk as a duplicate of the object it comes in second", async () => {
    const chunks = await chunksOf(
      stored([`${named("a", "id-1")}\n${named("b", "id-1")}\n`, named("c", "id-1")]),
    );
    expect(chunks.flatMap(rowsOf)).to.deep.equal([[0, "a"]]);
    expect([...talliesOf(chunks).values()]).to.deep.equal([
      { read: 2, rejected: 0, duplicates: 1 },
      { read: 1, rejected: 0, duplicates: 1 },
    ]);
    balances(chunks);
  });

  it("derives the id of an event without one from its bucket, key and position", async () => {
    const twice = stored([`${named("a")}\n${named("a")}\n`, named("a")]);
    const ids = async () =>
      (await chunksOf(twice)).flatMap(({ rows }) => decodeRows(rows.all().bytes).map(([id]) => id));
    const first = await ids();
    expect(new Set(first).size).to.equal(3);
    expect(await ids()).to.deep.equal(first);
  });

  it("falls back on the time of the object, each its own", async () => {
    const source = new MemorySource([
      { key: key("1"), content: named("a"), lastModified: new Date("2025-12-06T05:00:00Z") },
      { key: key("2"), content: named("b"), lastModified: new Date("2025-12-06T07:00:00Z") },
    ]);
    const [chunk] = await chunksOf(source);
    const times = decodeRows(chunk?.rows.all().bytes as Buffer).map(([, time]) => time);
    expect(times).to.deep.equal(["2025-12-06T05:00:00.000Z", "2025-12-06T07:00:00.000Z"]);
    expect([...(chunk?.hourOfRow ?? [])].map((hour) => new Date(hour).getUTCHours())).to.deep.equal([5, 7]);
  });

  it("counts the repairs of a chunk", async () => {
    const [chunk] = await chunksOf(stored(['{"eventName":"x","userId":7}', '{"eventName":"y","userId":8}']));
    expect(chunk?.repairs.warnings).to.deep.equal({ user_id: { converted_to_text: 2 } });
  });

  it("ends a chunk with batchRows, between objects", async () => {
    const chunks = await chunksOf(stored(Array.from({ length: 10 }, (_, n) => named(`e${n}`))), {
      concurrency: 3,
      batchRows: 4,
    });
    expect(chunks.map(({ rows }) => rows.count)).to.deep.equal([4, 4, 2]);
    expect(chunks.flatMap(rowsOf)).to.deep.equal(Array.from({ length: 10 }, (_, n) => [n, `e${n}`]));
  });

  it("ends a chunk within a large object, whose events stay in order", async () => {
    const events = Array.from({ length: 1500 }, (_, n) =>
      JSON.stringify({ eventName: `e${n}`, userId: "u".repeat(900) }),
    );
    const chunks = await chunksOf(stored([`${events.join("\n")}\n`, named("last")]), {
      concurrency: 2,
      batchRows: 500,
    });
    expect(chunks.length).to.be.greaterThan(1);
    expect(chunks.flatMap(rowsOf)).to.deep.equal([...events.map((_, n) => [0, `e${n}`]), [1, "last"]]);
    expect(talliesOf(chunks).get(0)).to.deep.equal({ read: 1500, rejected: 0, duplicates: 0 });
    balances(chunks);
  });

  it("ends a chunk by its size when rows are large", async () => {
    const wide = Array.from({ length: 12 }, (_, n) => ({ eventName: `e${n}`, ...wideText }));
    const chunks = await chunksOf(stored(Array.from({ length: 40 }, () => JSON.stringify(wide))));
    expect(chunks.length).to.be.greaterThan(1);
    for (const { size } of chunks) expect(size).to.be.below(2 * MIB);
  });
  const wideText = Object.fromEntries(
    ["userId", "clientId", "sessionId", "identitySource", "userLoginState"].map((name) => [
      name,
      "x".repeat(4096),
    ]),
  );

  it("reads small objects ahead, no more of them at the same time than allowed", async () => {
    const source = stored(Array.from({ length: 200 }, (_, n) => named(`e${n}`)));
    await chunksOf(source, { concurrency: 7, batchRows: 1000 });
    expect(source.reading.most).to.equal(7);
    expect(source.readKeys).to.have.length(200);
  });

  it("does not read on when nobody takes the chunks", async () => {
    const source = stored(Array.from({ length: 500 }, (_, n) => named(`e${n}`)));
    const chunks = readChunks(source, source.objects, { concurrency: 5, batchRows: 10 });
    await chunks.next();
    await new Promise((done) => setTimeout(done, 20));
    expect(source.readKeys.length).to.be.below(50);
    await chunks.return(undefined);
    expect(source.reading.now).to.equal(0);
  });

  describe("an object that cannot be read", () => {
    /** Fails where it is read, before its first byte or behind so many. */
    class FailingSource extends MemorySource {
      readonly failAfter = new Map<string, number>();
      override async *read(object: SourceObject): AsyncGenerator<Uint8Array> {
        let left = this.failAfter.get(object.key) ?? Number.POSITIVE_INFINITY;
        for await (const piece of super.read(object)) {
          left -= piece.length;
          if (left < 0) throw new ExtractError("retriable", "it broke off", { object: `raw/${object.key}` });
          yield piece;
        }
      }
    }
    const large = (bytes: number, width: number) =>
      `${JSON.stringify({ eventName: "large", unused: "x".repeat(width) })}\n`.repeat(bytes / (width + 36));

    it("is passed over where it is met, its neighbours are read, and once", async () => {
      const source = stored([named("a"), named("b"), named("c")]);
      const objects = source.objects.map((object, n) => (n === 1 ? { ...object, etag: "another" } : object));
      const chunks: EventChunk[] = [];
      for await (const chunk of readChunks(source, objects, ROOMY)) chunks.push(chunk);
      expect(chunks.flatMap(rowsOf)).to.deep.equal([
        [0, "a"],
        [2, "c"],
      ]);
      expect(chunks.map(({ failures }) => [...failures.keys()])).to.deep.equal([[1]]);
      const failure = chunks[0]?.failures.get(1);
      expect(failure).to.be.instanceOf(ExtractError);
      expect(failure).to.include({ kind: "changed", object: `raw/${objects[1]?.key}` });
      expect(source.readKeys).to.have.length(3);
    });

    it("is in chunks of its own when it is large, so that it can be undone by itself", async () => {
      const source = new FailingSource([
        { key: key("1"), content: named("a") },
        { key: key("2"), content: large(6 * MIB, 100) },
        { key: key("3"), content: named("b") },
      ]);
      source.failAfter.set(key("2"), 5 * MIB);
      const chunks = await chunksOf(source);
      expect(chunks[0] && rowsOf(chunks[0])).to.deep.equal([[0, "a"]]);
      expect(chunks.at(-1) && rowsOf(chunks.at(-1) as EventChunk)).to.deep.equal([[2, "b"]]);
      expect([...(chunks.at(-1)?.failures.keys() ?? [])]).to.deep.equal([1]);
      const between = chunks.slice(1, -1);
      expect(between).to.not.have.length(0);
      for (const { continues, tallies } of between) {
        expect(continues).to.equal(1);
        expect([...tallies.keys()]).to.deep.equal([1]);
      }
    });

    it("leaves nothing behind when no chunk of it was handed on yet", async () => {
      const source = new FailingSource([
        { key: key("1"), content: large(2 * MIB, 1000) },
        { key: key("2"), content: named("b") },
      ]);
      source.failAfter.set(key("1"), 1.9 * MIB);
      const chunks = await chunksOf(source, { concurrency: 2, batchRows: 1_000_000 });
      expect(chunks.map(rowsOf)).to.deep.equal([[[1, "b"]]]);
      expect([...(chunks[0]?.failures.keys() ?? [])]).to.deep.equal([0]);
      balances(chunks);
    });

    it("ends the reading when it is one of very many in a row, as in an outage", async () => {
      const source = new FailingSource(
        Array.from({ length: 3000 }, (_, n) => ({
          key: key(String(n).padStart(5, "0")),
          content: named("a"),
        })),
      );
      for (const { key } of source.objects.slice(100)) source.failAfter.set(key, 0);
      const chunks = await chunksOf(source);
      expect(chunks.flatMap(rowsOf)).to.have.length(100);
      expect(chunks.reduce((sum, { failures }) => sum + failures.size, 0)).to.equal(1000);
    });
  });

  describe("an object full of rejects", () => {
    const rejectsOf = (chunks: readonly EventChunk[]) => chunks.flatMap(({ rejects }) => rejects);

    it("keeps the first thousand; a row by cause counts the rest and says so", async () => {
      for (const content of [
        `[${"1,".repeat(5000)}{},{}]`,
        `${"1\n".repeat(5000)}{}\n{}\n`,
        gzipSync(`${"1\n".repeat(5000)}{}\n{}\n`),
      ]) {
        const chunks = await chunksOf(stored([content, "oops"]));
        const kept = rejectsOf(chunks);
        expect(kept.slice(0, 1000).map(({ records }) => records)).to.deep.equal(Array(1000).fill(1));
        expect(
          kept.slice(1000).map(({ object, cause, position, records }) => [object, cause, position, records]),
        ).to.deep.equal([
          [0, "not_an_object", 1000, 4000],
          [0, "missing_event_name", 5000, 2],
          [1, "invalid_json", 0, 1],
        ]);
        expect(kept[1000]?.detail).to.match(/^4000 more records of this object were rejected/);
        expect(talliesOf(chunks).get(0)).to.deep.equal({ read: 5002, rejected: 5002, duplicates: 0 });
      }
    });

    it("keeps no more than 4 MiB of their text", async () => {
      const wide = JSON.stringify({ p: "x".repeat(100_000) });
      const kept = rejectsOf(await chunksOf(stored([`${wide}\n`.repeat(100)])));
      expect(kept).to.have.length(65);
      expect(kept.at(-1)?.records).to.equal(36);
    });

    it("ends a chunk by their number, and by the memory they take", async () => {
      const chunks = await chunksOf(stored(Array.from({ length: 20 }, () => "[1,1,1,1,1,1,1,1,1,1]")), {
        concurrency: 2,
        batchRows: 50,
      });
      expect(chunks.map(({ rejects }) => rejects.length)).to.deep.equal([50, 50, 50, 50]);
      const many = await chunksOf(stored(Array.from({ length: 20 }, () => "1\n".repeat(900))), {
        concurrency: 2,
        batchRows: 1_000_000,
      });
      expect(many.length).to.be.greaterThan(3);
    });

    it("is read in slices, whatever it is made of", async () => {
      for (const content of [
        `[${Array(200_000).fill("{}").join(",")}]`,
        "1\n".repeat(400_000),
        "1 ".repeat(400_000),
        `${"1 ".repeat(400_000)}\n{"eventName":"a"}\n`,
        gzipSync("[]".repeat(400_000)),
      ])
        for await (const piece of readObjects(
          stored([content]),
          stored([content]).objects,
          1,
          () => () => false,
        )) {
          expect(piece.failure).to.equal(undefined);
          expect((piece as RecordsPiece).records.length).to.be.at.most(1000);
        }
    });
  });
});
