import { expect } from "chai";
import { parseWindow } from "../../../etl-lib/src/extract/window.js";
import { type BatchPlan, type BatchToLoad, planBatches } from "../../../etl-lib/src/run/plan-batches.js";
import type { SourceObject } from "../../../etl-lib/src/types.js";
import { MemorySource } from "../support/memory-source.js";

const MIB = 1024 * 1024;
const WINDOW = parseWindow("2025-12-06T05:00Z", "2025-12-06T06:00Z");
const key = (name: string | number) => `events/2025/12/06/05/${String(name).padStart(5, "0")}`;

const stored = (sizes: readonly number[], pageSize?: number) =>
  new MemorySource(
    sizes.map((size, n) => ({ key: key(n), content: Buffer.alloc(size) })),
    pageSize,
  );

async function plan(
  source: MemorySource,
  {
    maxObjects = 1000,
    loaded = () => false,
    ...rest
  }: Partial<BatchPlan> & { loaded?: (object: SourceObject) => boolean },
) {
  const listed: { listed: number; fresh: number; bytes: number }[] = [];
  const batches: BatchToLoad[] = [];
  const steps = planBatches({
    source,
    window: WINDOW,
    prefix: undefined,
    maxObjects,
    subtractLoaded: async (page) => page.filter((object) => !loaded(object)),
    onListed: ({ listed: count, fresh, bytes }) => listed.push({ listed: count, fresh, bytes }),
    ...rest,
  });
  for await (const batch of steps) {
    expect(batch.objects).to.not.deep.equal([]);
    expect(batch.bytes).to.equal(batch.objects.reduce((sum, { size }) => sum + size, 0));
    batches.push(batch);
  }
  return { batches, sizes: batches.map(({ objects }) => objects.length), listed };
}

describe("planBatches", () => {
  it("groups the objects of all pages, in their order", async () => {
    const { batches, sizes } = await plan(stored(Array(10).fill(1), 3), { maxObjects: 4 });
    expect(sizes).to.deep.equal([4, 4, 2]);
    expect(batches.flatMap(({ objects }) => objects.map(({ key }) => key))).to.deep.equal(
      Array.from({ length: 10 }, (_, n) => key(n)),
    );
  });

  it("plans nothing where nothing is, or nothing is new", async () => {
    expect((await plan(stored([]), {})).batches).to.deep.equal([]);
    expect((await plan(stored([1, 1, 1]), { loaded: () => true })).batches).to.deep.equal([]);
  });

  it("leaves out what the ledger has, and asks it page by page", async () => {
    const pages: number[] = [];
    const { batches } = await plan(stored(Array(10).fill(1), 4), {
      subtractLoaded: async (page) => {
        pages.push(page.length);
        return page.filter(({ key }) => Number(key.slice(-1)) % 2 === 0);
      },
    });
    expect(pages.filter((length) => length > 0)).to.deep.equal([4, 4, 2]);
    expect(batches.flatMap(({ objects }) => objects.map(({ key }) => Number(key.slice(-1))))).to.deep.equal([
      0, 2, 4, 6, 8,
    ]);
  });

  it("never takes more than 2,000 objects into a batch", async () => {
    const { sizes } = await plan(stored(Array(4500).fill(0)), { maxObjects: 100_000 });
    expect(sizes).to.deep.equal([2000, 2000, 500]);
  });

  it("ends a batch before it holds more than 8 MiB", async () => {
    expect((await plan(stored([4 * MIB, 4 * MIB, 1]), {})).sizes).to.deep.equal([2, 1]);
    expect((await plan(stored([4 * MIB, 4 * MIB + 1, 1]), {})).sizes).to.deep.equal([1, 2]);
  });

  it("takes a larger object alone, and empty ones with others", async () => {
    expect((await plan(stored([1, 9 * MIB, 1]), {})).sizes).to.deep.equal([1, 1, 1]);
    expect((await plan(stored([9 * MIB]), {})).sizes).to.deep.equal([1]);
    expect((await plan(stored([0, 0, 5, 0]), {})).sizes).to.deep.equal([4]);
  });

  it("tells what each page held and what of it was new", async () => {
    const { listed } = await plan(stored([1, 2, 4, 8, 16], 2), { loaded: ({ size }) => size === 2 });
    const held = listed.filter((page) => page.listed > 0);
    expect(held).to.deep.equal([
      { listed: 2, fresh: 1, bytes: 1 },
      { listed: 2, fresh: 2, bytes: 12 },
      { listed: 1, fresh: 1, bytes: 16 },
    ]);
  });

  it("lists on only as batches are taken", async () => {
    const source = stored(Array(100).fill(1), 10);
    let pages = 0;
    const steps = planBatches({
      source,
      window: WINDOW,
      prefix: undefined,
      maxObjects: 10,
      subtractLoaded: async (page) => page,
      onListed: () => pages++,
    });
    await steps.next();
    const before = pages;
    expect(before).to.be.below(5);
    await steps.return(undefined);
    expect(pages).to.equal(before);
  });

  it("keeps from the ledger the keys that PostgreSQL cannot hold, and tells of them", async () => {
    const source = new MemorySource([key("a"), key("b\0"), key("c")].map((key) => ({ key, content: "{}" })));
    const unnamable: string[] = [];
    const asked: string[] = [];
    const { batches } = await plan(source, {
      subtractLoaded: async (page) => {
        asked.push(...page.map(({ key }) => key));
        return page;
      },
      onListed: (page) => unnamable.push(...page.unnamable.map(({ key }) => key)),
    });
    expect(asked).to.deep.equal([key("a"), key("c")]);
    expect(unnamable).to.deep.equal([key("b\0")]);
    expect(batches.flatMap(({ objects }) => objects.map(({ key }) => key))).to.deep.equal(asked);
  });

  it("fails when the ledger fails", async () => {
    const error = await plan(stored([1]), {
      subtractLoaded: () => Promise.reject(new Error("no ledger")),
    }).catch((error: Error) => error);
    expect(error).to.be.an("error").with.property("message", "no ledger");
  });
});
