import { expect } from "chai";
import { sideBySide } from "../../../etl-lib/src/extract/side-by-side.js";

/** Sources that yield on request. */
class Stage {
  readonly started: string[] = [];
  readonly ended: string[] = [];
  readonly #gates = new Map<string, () => void>();

  source(name: string, values: number) {
    const self = this;
    return async function* () {
      self.started.push(name);
      try {
        for (let value = 0; value < values; value++) {
          await new Promise<void>((resolve) => self.#gates.set(name, resolve));
          yield `${name}${value}`;
        }
      } finally {
        self.ended.push(name);
      }
    };
  }

  open(name: string): void {
    const gate = this.#gates.get(name);
    if (!gate) throw new Error(`${name} does not wait`);
    gate();
  }
}

const settled = () => new Promise(setImmediate);

describe("sideBySide", () => {
  it("starts no more than it may, the first ones first, and yields what is ready", async () => {
    const stage = new Stage();
    const sources = ["a", "b", "c"].map((name) => stage.source(name, 1));
    const merged = sideBySide(sources, 2);
    const first = merged.next();
    await settled();
    expect(stage.started).to.deep.equal(["a", "b"]);
    stage.open("b");
    expect((await first).value).to.equal("b0");
    const second = merged.next();
    await settled();
    expect(stage.started).to.deep.equal(["a", "b", "c"]);
    stage.open("c");
    expect((await second).value).to.equal("c0");
    const third = merged.next();
    stage.open("a");
    expect((await third).value).to.equal("a0");
    expect((await merged.next()).done).to.equal(true);
  });

  for (const [sources, concurrency] of [
    [0, 4],
    [1, 4],
    [9, 1],
    [9, 4],
    [9, 100],
  ] as const)
    it(`yields all of ${sources} sources, ${concurrency} at a time`, async () => {
      let running = 0;
      let most = 0;
      const all = Array.from(
        { length: sources },
        (_, source) =>
          async function* () {
            most = Math.max(most, ++running);
            for (let value = 0; value < 5; value++) {
              await settled();
              yield source * 5 + value;
            }
            running--;
          },
      );
      const found: number[] = [];
      for await (const value of sideBySide(all, concurrency)) found.push(value);
      expect(found.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: sources * 5 }, (_, n) => n));
      expect(most).to.equal(Math.min(sources, concurrency));
    });

  it("reads at most one value ahead", async () => {
    const made: number[] = [];
    const source = async function* () {
      for (let value = 0; value < 10; value++) {
        made.push(value);
        yield value;
      }
    };
    const merged = sideBySide([source], 3);
    await merged.next();
    await settled();
    expect(made).to.deep.equal([0, 1]);
  });

  it("gives a slow reader the first ones first", async () => {
    const sources = [0, 1, 2].map(
      (source) =>
        async function* () {
          for (let value = 0; value < 3; value++) yield source * 3 + value;
        },
    );
    const found: number[] = [];
    for await (const value of sideBySide(sources, 3)) {
      found.push(value);
      await settled();
    }
    expect(found).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("fails with the first that fails, and ends the others", async () => {
    let ended = 0;
    const endless = async function* () {
      try {
        for (;;) {
          await settled();
          yield 1;
        }
      } finally {
        ended++;
      }
    };
    const failing = async function* (): AsyncGenerator<number> {
      yield 0;
      throw new Error("throttled");
    };
    const read = async () => {
      for await (const _ of sideBySide([endless, failing, endless], 3));
    };
    const error = await read().catch((error: Error) => error);
    expect(error).to.be.an("error").with.property("message", "throttled");
    while (ended < 2) await settled();
  });

  it("ends all when its reader leaves", async () => {
    let ended = 0;
    const endless = async function* () {
      try {
        for (;;) yield 1;
      } finally {
        ended++;
      }
    };
    for await (const _ of sideBySide([endless, endless, endless], 2)) break;
    while (ended < 2) await settled();
  });
});
