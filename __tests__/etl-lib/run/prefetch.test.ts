import { expect } from "chai";
import fc from "fast-check";
import { prefetch } from "../../../etl-lib/src/run/prefetch.js";

const settle = () => new Promise((done) => setImmediate(done));

/** Counts from 0, fails where asked to, and notes how far it was read and whether it was ended. */
class Counter {
  given = 0;
  ended = false;

  async *values(count: number, failAt = -1): AsyncGenerator<number> {
    try {
      for (; this.given < count; ) {
        await settle();
        if (this.given === failAt) throw new Error(`failed at ${failAt}`);
        yield this.given++;
      }
    } finally {
      this.ended = true;
    }
  }
}

async function take(
  source: AsyncIterable<number>,
  slow = false,
): Promise<{ values: number[]; error: unknown }> {
  const values: number[] = [];
  try {
    for await (const value of source) {
      if (slow) await settle();
      values.push(value);
    }
    return { values, error: undefined };
  } catch (error) {
    return { values, error };
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe("prefetch", () => {
  it("gives all values in their order, whatever the depth and the reader's pace", () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 12 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (count, depth, slow) => {
          expect(await take(prefetch(new Counter().values(count), depth), slow)).to.deep.equal({
            values: upTo(count),
            error: undefined,
          });
        },
      ),
      { numRuns: 50 },
    ));

  it("gives an error in its place, behind the values before it", () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 8 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (failAt, depth, slow) => {
          const { values, error } = await take(prefetch(new Counter().values(20, failAt), depth), slow);
          expect(values).to.deep.equal(upTo(failAt));
          expect(error).to.be.an("error").with.property("message", `failed at ${failAt}`);
        },
      ),
      { numRuns: 50 },
    ));

  it("is at its end after an error", async () => {
    const reader = prefetch(new Counter().values(9, 1), 3);
    await reader.next();
    await reader.next().catch(() => undefined);
    expect(await reader.next()).to.deep.equal({ value: undefined, done: true });
  });

  for (const depth of [1, 2, 5])
    it(`starts at once, and reads at most ${depth} ahead`, async () => {
      const counter = new Counter();
      const reader = prefetch(counter.values(100), depth);
      for (let taken = 0; taken < 6; taken++) {
        for (let turn = 0; turn < 30; turn++) await settle();
        expect(counter.given).to.equal(taken + depth);
        await reader.next();
      }
      await reader.return?.();
    });

  it("ends the source when its reader leaves, and reads no more", async () => {
    const counter = new Counter();
    for await (const value of prefetch(counter.values(100), 3)) if (value === 4) break;
    expect(counter.ended).to.equal(true);
    const given = counter.given;
    for (let turn = 0; turn < 20; turn++) await settle();
    expect(counter.given)
      .to.equal(given)
      .and.to.be.at.most(4 + 1 + 3);
  });

  it("is at its end when it is given up before anything was taken", async () => {
    const counter = new Counter();
    const reader = prefetch(counter.values(100), 2);
    await settle();
    await reader.return?.();
    const given = counter.given;
    for (let turn = 0; turn < 20; turn++) await settle();
    expect(counter.given).to.equal(given).and.to.be.at.most(2);
    expect(counter.ended).to.equal(true);
  });

  it("leaves no rejection unheard when its reader never meets the error", async () => {
    const unheard: unknown[] = [];
    const note = (reason: unknown) => unheard.push(reason);
    process.on("unhandledRejection", note);
    try {
      const reader = prefetch(new Counter().values(10, 1), 4);
      for (let turn = 0; turn < 20; turn++) await settle();
      await reader.return?.();
      await settle();
      expect(unheard).to.deep.equal([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });
});
