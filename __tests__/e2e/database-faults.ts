import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
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
import type { LambdaProcess } from "../../testing/lambda/runtime.js";
import { until } from "../../testing/until.js";

const OUTAGE_MS = 2_000;
/** Six files of about 3.8 MB, which are two batches. */
const TWO_BATCHES = 32_000;

export function describeDatabaseFaults(world: () => World): void {
  describe("when the database fails", () => {
    let day: string;

    beforeEach(() => {
      day = freshDay();
    });

    async function given(events: number, dirty = 0.05): Promise<Sample> {
      const made = sample({ events, layout: "ndjson", dirty, seed: day, from: new Date(day), days: 1 });
      await world().put(made.objects);
      return made;
    }

    async function expectAll(made: Sample): Promise<void> {
      await expectHeld(world().warehouse.db, day, made);
      await expectIdentity(world().warehouse.db);
    }

    async function restart(mode: "fast" | "immediate"): Promise<void> {
      const { warehouse } = world();
      await warehouse.stopPostgres(mode);
      setTimeout(() => warehouse.startPostgres(), OUTAGE_MS);
    }

    it("stopped before a batch: the run waits for it", async () => {
      const made = await given(400);
      const etl = await world().startFunction();
      await restart("fast");
      expectLoaded(answered(await etl.invoke(backfill(day))), made);
      await expectAll(made);
      await etl.stop();
    });

    it("crashed during a batch: nothing of it stays, and it is loaded again", async () => {
      const made = await given(TWO_BATCHES, 0);
      const { etl, faults } = await world().startBehindFaults();
      const held = faults.holdObject(3, async () => {
        await until("a batch is open", async () => {
          const { rows } = await world().warehouse.db.query(
            "SELECT FROM pg_stat_activity WHERE usename = 'etl_writer' AND state = 'idle in transaction'",
          );
          return rows.length > 0;
        });
        await restart("immediate");
      });
      const [outcome] = await Promise.all([etl.invoke(backfill(day)), held]);
      expectLoaded(answered(outcome), made);
      await expectAll(made);
      await etl.stop();
    });

    it("stopped between two batches: the first stays, the rest follows", async () => {
      const made = await given(TWO_BATCHES, 0);
      const { etl, faults } = await world().startBehindFaults();
      const held = faults.holdObject(made.objects.length, async () => {
        await until("the first batch is committed", async () => {
          const { rows } = await world().warehouse.db.query("SELECT FROM etl.objects WHERE key = ANY ($1)", [
            made.objects.map(({ key }) => key),
          ]);
          return rows.length > 0;
        });
        await restart("fast");
      });
      const [outcome] = await Promise.all([etl.invoke(backfill(day)), held]);
      expectLoaded(answered(outcome), made);
      await expectAll(made);
      await etl.stop();
    });

    it("disk full: the run goes on where it was when there is space again", async () => {
      const { warehouse } = world();
      const made = await given(TWO_BATCHES, 0);
      const etl = await world().startFunction();
      const logged = (await warehouse.host.serverLog()).length;
      const free = await warehouse.fillDisk();
      const outcome = etl.invoke(backfill(day));
      await until("PostgreSQL finds the disk full", async () =>
        (await warehouse.host.serverLog()).slice(logged).includes("No space left on device"),
      );
      await sleep(OUTAGE_MS);
      free();
      warehouse.startPostgres(); // if it gave up
      expectLoaded(answered(await outcome), made);
      await expectAll(made);
      await etl.stop();
    });

    describe("secrets that change under a function", () => {
      let etl: LambdaProcess;

      before(async () => {
        etl = await world().startFunction();
      });
      after(() => etl.stop());

      const loads = async () => {
        const made = await given(200);
        expectLoaded(answered(await etl.invoke(backfill(day))), made);
        await expectAll(made);
      };

      it("password rotated by a deploy that the host has not taken up: a cold function loads", async () => {
        await world().rotate("etl-writer-password", randomUUID());
        await loads();
      });

      it("a warm one does too", async () => {
        await world().warehouse.disconnectFunctions();
        await loads();
      });

      it("and when the host has taken it up by itself", async () => {
        await world().warehouse.takeUpPasswords();
        await world().warehouse.disconnectFunctions();
        await loads();
      });

      it("wrong password: refused with the setting to check; right again, without a new start", async () => {
        const made = await given(200);
        await world().rotate("etl-writer-password", randomUUID());
        await world().rotate("etl-writer-password", randomUUID()); // the function tries the newest and the one before
        const cold = await world().startFunction();
        const { errorMessage } = refused(await cold.invoke(backfill(day)));
        expect(errorMessage).to.match(/password.*DWH_PASSWORD/);
        await world().warehouse.setup(); // the host picks up the new one
        expectLoaded(answered(await cold.invoke(backfill(day))), made);
        await expectAll(made);
        await cold.stop();
      });

      it("password rotated under a warm function: read again, without a redeploy", async () => {
        const made = await given(200);
        await world().rotate("etl-writer-password", randomUUID());
        await world().warehouse.setup();
        await world().warehouse.disconnectFunctions();
        expectLoaded(answered(await etl.invoke(backfill(day))), made);
        await expectAll(made);
      });

      it("certificate and its authority replaced: the new one is read and verified", async () => {
        const made = await given(200);
        const before = await world().parameter("certificate");
        world().warehouse.forgetAuthority();
        await world().warehouse.setup();
        expect(await world().parameter("certificate")).to.not.equal(before);
        await world().warehouse.disconnectFunctions();
        expectLoaded(answered(await etl.invoke(backfill(day))), made);
        await expectAll(made);
      });
    });
  });
}
