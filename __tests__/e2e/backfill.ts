import { expect } from "chai";
import { DAY, expectHeld, freshDay, HOUR, type Sample, sample, sum } from "../../testing/e2e/sample.js";
import type { World } from "../../testing/e2e/world.js";
import { expectIdentity } from "../../testing/lab/identity.js";

const MANY_HOURS = 1512;

export function describeBackfill(world: () => World): void {
  describe("a backfill on the state machine", () => {
    let stop = async () => {};
    const db = () => world().warehouse.db;

    before(async () => {
      await db().query("UPDATE etl.lookbacks SET sealed_to = '2025-01-01'"); // as in real life, old days are sealed
      stop = await world().serveFunction(2); // fewer than hours at a time: the others are throttled
    });
    after(async () => {
      await stop();
      await db().query("UPDATE etl.lookbacks SET sealed_to = NULL");
    });

    const dayOf = (day: string, seed: string): Sample =>
      sample({ events: 300, layout: "object", dirty: 0.1, seed, from: new Date(day), days: 1 });
    const window = (day: string, days: number) => {
      const to = new Date(Date.parse(day) + days * DAY);
      return ["--from", day, "--to", to.toISOString().slice(0, 10)];
    };

    it("loads a day but for an object that cannot be read, names its hour and why, and loads it when it can", async () => {
      const day = freshDay();
      const all = dayOf(day, "e2e archived");
      const archived = all.objects.find(({ key }) => key.includes("/09/")) ?? expect.fail("no event at nine");
      await world().put(all.objects);
      await world().putArchived(archived);
      const first = await world().backfill(...window(day, 2), "--parallel", "4");
      expect(first).to.include({ status: "FAILED", hours: 48, done: 48 });
      expect(first.failed.map(({ hour }) => hour)).to.deep.equal([`${day}T09:00Z`]);
      expect(first.failed[0]?.why).to.include(archived.key);
      await world().put([archived]);
      const again = await world().backfill(...window(day, 2), "--parallel", "4");
      expect(again).to.include({ status: "SUCCEEDED", reason: null });
      await expectHeld(db(), day, all);
      await expectIdentity(db());
    });

    it("two at once over the same day, throttled, load everything once", async () => {
      const day = freshDay();
      const all = dayOf(day, "e2e two executions");
      await world().put(all.objects);
      const both = await Promise.all(
        [0, 1].map(() => world().backfill(...window(day, 2), "--parallel", "8")),
      );
      expect(both.flatMap(({ failed }) => failed)).to.deep.equal([]);
      expect(both.map(({ status }) => status)).to.deep.equal(["SUCCEEDED", "SUCCEEDED"]);
      await expectHeld(db(), day, all);
      await expectIdentity(db());
    });

    it(`${MANY_HOURS} hours, some of which fail: the others are loaded, and each failed one is named`, async () => {
      const from = Date.UTC(2023, 0, 1);
      const days = Array.from({ length: MANY_HOURS / 24 }, (_, n) => new Date(from + n * DAY));
      const samples = days
        .filter((_, n) => n % 21 === 0)
        .map((start, n) =>
          sample({ events: 5, layout: "ndjson", seed: `e2e many ${n}`, from: start, days: 1 }),
        );
      await world().put(samples.flatMap(({ objects }) => objects));
      const unreadable = days
        .filter((_, n) => n % 9 === 4)
        .map((start) => `${iso(start).slice(0, 10)}T13:00Z`);
      const archived = unreadable.map((hour) => ({
        key: `events/${hour.slice(0, 13).replace(/[-T]/g, "/")}/a.json`,
        body: "[]",
      }));
      for (const object of archived) await world().putArchived(object);
      const args = window(iso(new Date(from)).slice(0, 10), days.length);
      const state = await world().backfill(...args, "--parallel", "4");
      expect(state).to.include({ status: "FAILED", hours: MANY_HOURS, done: MANY_HOURS });
      expect(state.failed.map(({ hour }) => hour)).to.deep.equal(unreadable);
      const { rows } = await db().query(
        "SELECT count(*)::int AS n FROM public.clickstream_events WHERE event_timestamp >= $1 AND event_timestamp < $2",
        [new Date(from), new Date(from + MANY_HOURS * HOUR)],
      );
      expect(rows[0].n).to.equal(sum(...samples.map(({ expected }) => expected)).inserted);
      await world().put(archived);
      const { code, output } = await world().etlLocal("run", ...args);
      expect(code, output).to.equal(0);
      await expectIdentity(db());
    });
  });
}

const iso = (date: Date): string => date.toISOString();
