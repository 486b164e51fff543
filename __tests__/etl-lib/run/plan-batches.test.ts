import { expect } from "chai";
import { parseWindow } from "../../../etl-lib/src/extract/window.js";
import type { Queryable } from "../../../etl-lib/src/load/warehouse.js";
import { freshListings } from "../../../etl-lib/src/run/fresh-objects.js";
import { type BatchPlan, type BatchToLoad, planBatches } from "../../../etl-lib/src/run/plan-batches.js";
import { MemorySource } from "../../../testing/etl-lib/memory-source.js";

const MIB = 1024 * 1024;
const WINDOW = parseWindow("2025-12-06T05:00Z", "2025-12-06T06:00Z");
const key = (name: string | number) => `events/2025/12/06/05/${String(name).padStart(5, "0")}`;

const stored = (sizes: readonly number[], pageSize?: number) =>
  new MemorySource(
    sizes.map((size, n) => ({ key: key(n), content: Buffer.alloc(size) })),
    pageSize,
  );

type Loaded = (key: string) => boolean;

const listings = (source: MemorySource, loaded: Loaded, asked: string[][] = []) =>
  freshListings({ source, window: WINDOW, db: ledger(source, loaded, asked), retrying: (query) => query() });

/** As `etl.objects` and `etl.sealed` answer. */
const ledger = (source: MemorySource, loaded: Loaded, asked: string[][]): Queryable => ({
  async query(text: string, [, keys]: unknown[] = []) {
    if (!text.includes("FROM etl.objects")) return { rows: [], rowCount: 0 };
    asked.push(keys as string[]);
    const rows = source.objects.filter(({ key }) => (keys as string[]).includes(key) && loaded(key));
    return { rows: rows as never[], rowCount: rows.length };
  },
});

async function plan(
  source: MemorySource,
  { maxObjects = 1000, loaded = () => false, ...rest }: Partial<BatchPlan> & { loaded?: Loaded },
) {
  const listed: { listed: number; fresh: number }[] = [];
  const batches: BatchToLoad[] = [];
  const steps = planBatches({
    listingsAtOnce: 16,
    listings: listings(source, loaded),
    maxObjects,
    clock: Date.now,
    isTimeUp: () => false,
    onListed: ({ listed: count, fresh }) => void listed.push({ listed: count, fresh: fresh.length }),
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
    const source = stored(Array(10).fill(1), 4);
    const asked: string[][] = [];
    const isOdd = (key: string) => Number(key.slice(-1)) % 2 === 1;
    const { batches } = await plan(source, { listings: listings(source, isOdd, asked) });
    expect(asked.map(({ length }) => length)).to.deep.equal([4, 4, 2]);
    expect(batches.flatMap(({ objects }) => objects.map(({ key }) => Number(key.slice(-1))))).to.deep.equal([
      0, 2, 4, 6, 8,
    ]);
  });

  it("never takes more than 2,000 objects into a batch", async () => {
    const { sizes } = await plan(stored(Array(4500).fill(0)), { maxObjects: 100_000 });
    expect(sizes).to.deep.equal([2000, 2000, 500]);
  });

  it("ends a batch before it holds more than 16 MiB", async () => {
    expect((await plan(stored([8 * MIB, 8 * MIB, 1]), {})).sizes).to.deep.equal([2, 1]);
    expect((await plan(stored([8 * MIB, 8 * MIB + 1, 1]), {})).sizes).to.deep.equal([1, 2]);
  });

  it("takes a larger object alone, and empty ones with others", async () => {
    expect((await plan(stored([1, 17 * MIB, 1]), {})).sizes).to.deep.equal([1, 1, 1]);
    expect((await plan(stored([17 * MIB]), {})).sizes).to.deep.equal([1]);
    expect((await plan(stored([0, 0, 5, 0]), {})).sizes).to.deep.equal([4]);
  });

  it("tells what each page held and what of it was new", async () => {
    const { listed } = await plan(stored([1, 2, 4, 8, 16], 2), { loaded: (name) => name === key(1) });
    expect(listed.filter((page) => page.listed > 0)).to.deep.equal([
      { listed: 2, fresh: 1 },
      { listed: 2, fresh: 2 },
      { listed: 1, fresh: 1 },
    ]);
  });

  it("lists no further when the time is up, and gives out what it has found", async () => {
    const source = stored(Array(100).fill(1), 10);
    let pages = 0;
    const { sizes } = await plan(source, { isTimeUp: () => pages >= 3, onListed: () => void pages++ });
    expect(pages).to.equal(3);
    expect(sizes.reduce((sum, size) => sum + size, 0)).to.be.within(10, 30);
  });

  it("holds what it has found no longer than a few seconds for others", async () => {
    let now = 0;
    const { sizes } = await plan(stored(Array(40).fill(1), 10), {
      clock: () => now,
      onListed: () => {
        now += 3000;
      },
    });
    expect(sizes.length).to.be.greaterThan(1);
  });

  it("lists on only as batches are taken", async () => {
    const source = stored(Array(100).fill(1), 10);
    let pages = 0;
    const steps = planBatches({
      listingsAtOnce: 16,
      listings: listings(source, () => false),
      maxObjects: 10,
      clock: Date.now,
      isTimeUp: () => false,
      onListed: () => void pages++,
    });
    await steps.next();
    const before = pages;
    expect(before).to.be.below(5);
    await steps.return(false);
    expect(pages).to.equal(before);
  });

  it("keeps from the ledger the keys that PostgreSQL cannot hold, and tells of them", async () => {
    const source = new MemorySource([key("a"), key("b\0"), key("c")].map((key) => ({ key, content: "{}" })));
    const unnamable: string[] = [];
    const asks: string[][] = [];
    const { batches } = await plan(source, {
      listings: listings(source, () => false, asks),
      onListed: (page) => void unnamable.push(...page.unnamable.map(({ key }) => key)),
    });
    const asked = asks.flat();
    expect(asked).to.deep.equal([key("a"), key("c")]);
    expect(unnamable).to.deep.equal([key("b\0")]);
    expect(batches.flatMap(({ objects }) => objects.map(({ key }) => key))).to.deep.equal(asked);
  });

  it("fails when the ledger fails", async () => {
    const source = stored([1]);
    const fail = () => {
      throw new Error("no ledger");
    };
    const error = await plan(source, { listings: listings(source, fail) }).catch((error: Error) => error);
    expect(error).to.be.an("error").with.property("message", "no ledger");
  });
});
