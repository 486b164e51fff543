import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import type { Trouble } from "../../testing/e2e/fault-proxy.js";
import {
  answered,
  backfill,
  expectHeld,
  expectLoaded,
  freshDay,
  refused,
  type Sample,
  sample,
} from "../../testing/e2e/sample.js";
import type { World } from "../../testing/e2e/world.js";
import { expectIdentity } from "../../testing/lab/identity.js";

const OUTAGE_MS = 30_000;
const KINDS: readonly [Trouble, string][] = [
  ["throttle", "throttles"],
  ["hang", "does not answer"],
  ["reset", "resets connections"],
];

/** Each has a function, a proxy and days of its own, and most of its time it waits: they run side by side. */
export function describeAwsFaults(world: () => World): void {
  describe("when AWS fails", () => {
    const running = new Map<string, Promise<void>>();

    function scenario(title: string, play: () => Promise<void>): void {
      before(() => {
        const played = play();
        played.catch(() => {}); // its own test tells
        running.set(title, played);
      });
      it(title, () => running.get(title));
    }

    async function given(day: string, seed = day): Promise<Sample> {
      const made = sample({ events: 250, layout: "object", dirty: 0.1, seed, from: new Date(day), days: 1 });
      await world().put(made.objects);
      return made;
    }

    for (const [trouble, words] of KINDS) {
      scenario(`S3 ${words} for 30 s from the listing on: all is loaded`, async () => {
        const day = freshDay();
        const made = await given(day);
        const { etl, faults } = await world().startBehindFaults();
        faults.trouble.s3 = trouble;
        const outcome = etl.invoke(backfill(day));
        await sleep(OUTAGE_MS);
        faults.trouble.s3 = "none";
        expectLoaded(answered(await outcome), made);
        expect(faults.hits.s3).to.be.greaterThan(0);
        await expectHeld(world().warehouse.db, day, made);
        await etl.stop();
      });

      scenario(`S3 ${words} for 30 s while objects are read: all is loaded`, async () => {
        const day = freshDay();
        const made = await given(day);
        const { etl, faults } = await world().startBehindFaults();
        const held = faults.holdObject(50, async () => {
          faults.trouble.s3 = trouble;
          setTimeout(() => {
            faults.trouble.s3 = "none";
          }, OUTAGE_MS);
        });
        const [outcome] = await Promise.all([etl.invoke(backfill(day)), held]);
        expectLoaded(answered(outcome), made);
        expect(faults.hits.s3).to.be.greaterThan(0);
        await expectHeld(world().warehouse.db, day, made);
        await etl.stop();
      });
    }

    scenario("SSM out of reach at a cold start: a reason that names its endpoint, then all", async () => {
      const day = freshDay();
      const made = await given(day);
      const { etl, faults } = await world().startBehindFaults();
      faults.trouble.ssm = "hang";
      const { errorType, errorMessage } = refused(await etl.invoke(backfill(day)));
      expect(errorType).to.equal("LoadError");
      expect(errorMessage).to.match(/\/clickstream\/production\/dwh\/.* check the ssm endpoint/);
      faults.trouble.ssm = "none";
      expectLoaded(answered(await etl.invoke(backfill(day))), made);
      await expectHeld(world().warehouse.db, day, made);
      await etl.stop();
    });

    scenario("SSM out of reach at a warm start: not even asked", async () => {
      const [day, next] = [freshDay(), freshDay()];
      const made = await given(day);
      const { etl, faults } = await world().startBehindFaults();
      expectLoaded(answered(await etl.invoke(backfill(day))), made);
      faults.trouble.ssm = "hang";
      const more = await given(next);
      expectLoaded(answered(await etl.invoke(backfill(next))), more);
      expect(faults.hits.ssm).to.equal(0);
      await expectHeld(world().warehouse.db, next, more);
      await etl.stop();
    });

    it("and afterwards the ledger, the table and quarantine are one", async () => {
      await Promise.allSettled(running.values());
      await expectIdentity(world().warehouse.db);
    });
  });
}
