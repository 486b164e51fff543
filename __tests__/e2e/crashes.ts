import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { type Random, seededRandom } from "../../cli/sample/random.js";
import {
  answered,
  backfill,
  expectHeld,
  freshDay,
  type Sample,
  sample,
  sum,
} from "../../testing/e2e/sample.js";
import type { World } from "../../testing/e2e/world.js";
import { expectIdentity } from "../../testing/lab/identity.js";

const LANES = 5;
const KILLS_PER_LANE = 5;
const OBJECTS_PER_KILL = 40;

export function describeCrashes(world: () => World): void {
  describe("when the function dies, or is called twice", () => {
    const seed = process.env.E2E_SEED ?? `${Date.now()}`;

    it(`killed at ${LANES * KILLS_PER_LANE} random moments: all is there once (E2E_SEED=${seed})`, async () => {
      const lanes = Array.from({ length: LANES }, (_, lane) =>
        new Lane(world(), seededRandom(`${seed} ${lane}`)).play(),
      );
      const midWay = (await Promise.all(lanes)).reduce((total, hits) => total + hits, 0);
      expect(midWay, "kills before the function had answered").to.be.greaterThan(LANES);
      await expectIdentity(world().warehouse.db);
    });

    it("two invocations of one event at once share the work and load nothing twice", async () => {
      const day = freshDay();
      const options = { dirty: 0.1, from: new Date(day), days: 1 };
      const small = sample({ ...options, events: 600, layout: "object", seed: "e2e at once" });
      const large = sample({ ...options, events: 14_000, layout: "ndjson", seed: "e2e at once, files" });
      const objects = [...small.objects, ...large.objects];
      await world().put(objects);
      const both = await Promise.all([world().startFunction(), world().startFunction()]);
      const answers = (await Promise.all(both.map((etl) => etl.invoke(backfill(day))))).map(answered);
      const made: Sample = { objects, expected: sum(small.expected, large.expected) };
      expect(sum(...answers.map(({ events }) => events))).to.deep.equal(made.expected);
      expect(answers.map(({ error }) => error)).to.deep.equal([null, null]);
      await expectHeld(world().warehouse.db, day, made);
      await expectIdentity(world().warehouse.db);
      for (const etl of both) await etl.stop();
    });
  });
}

/** Functions one after another over the same days, each killed; others do the same beside it. */
class Lane {
  readonly #day = freshDay();
  readonly #all: Sample;
  #put = 0;

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {
    const events = (KILLS_PER_LANE + 2) * OBJECTS_PER_KILL;
    this.#all = sample({
      events,
      layout: "object",
      dirty: 0.1,
      seed: this.#day,
      from: new Date(this.#day),
      days: 1,
    });
  }

  /** @returns how many were killed before they had answered */
  async play(): Promise<number> {
    await this.#putSome(OBJECTS_PER_KILL);
    const began = Date.now();
    await this.#runToTheEnd();
    const coldRunMs = Date.now() - began;
    let midWay = 0;
    for (let kill = 0; kill < KILLS_PER_LANE; kill++) {
      await this.#putSome(OBJECTS_PER_KILL);
      midWay += await this.#runAndKill(this.random.int(0, coldRunMs));
    }
    await this.#putSome(this.#all.objects.length);
    await this.#runToTheEnd();
    await expectHeld(this.world.warehouse.db, this.#day, this.#all);
    return midWay;
  }

  async #putSome(count: number): Promise<void> {
    await this.world.put(this.#all.objects.slice(this.#put, this.#put + count));
    this.#put += count;
  }

  async #runToTheEnd(): Promise<void> {
    const etl = await this.world.startFunction();
    expect(answered(await etl.invoke(backfill(this.#day))).error).to.equal(null);
    await etl.stop();
  }

  async #runAndKill(afterMs: number): Promise<0 | 1> {
    const etl = await this.world.startFunction();
    const outcome = etl.invoke(backfill(this.#day));
    await sleep(afterMs);
    etl.kill();
    const ended = await outcome;
    await etl.stop();
    return "error" in ended && ended.error.errorType === "Runtime.ExitError" ? 1 : 0;
  }
}
