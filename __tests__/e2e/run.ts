import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import type { RunSummary } from "etl-lib";
import { METRICS, METRICS_NAMESPACE } from "../../functions/etl/contract.js";
import {
  answered,
  backfill,
  DAY,
  expectLoaded,
  inDayLayout,
  refused,
  type Sample,
  SCHEDULED,
  sample,
  sum,
} from "../../testing/e2e/sample.js";
import type { World } from "../../testing/e2e/world.js";
import { expectIdentity } from "../../testing/lab/identity.js";
import type { LambdaProcess, LogLine } from "../../testing/lambda/runtime.js";

const LONG_AGO = "2025-12-06";
const LARGE_DAY = "2025-12-10";
/** Leaves three quarters of it as the time budget. */
const SHORT_MS = 16_000;
const PATIENCE_MS = 120_000;

/** Events of yesterday and the day before, in all layouts. */
function recent(): { perEvent: Sample; onePrefix: Sample; compacted: Sample } {
  const from = new Date(Math.floor(Date.now() / DAY) * DAY - 2 * DAY);
  const common = { dirty: 0.08, from };
  return {
    perEvent: sample({ ...common, events: 300, layout: "object", seed: "e2e hours", days: 2 }),
    onePrefix: inDayLayout(
      sample({ ...common, events: 1150, layout: "object", seed: "e2e one prefix", days: 1 }),
    ),
    compacted: sample({ ...common, events: 2000, layout: "array", seed: "e2e compacted", days: 2 }),
  };
}

export function describeRun(world: () => World): void {
  describe("one run, all real", () => {
    const { perEvent, onePrefix, compacted } = recent();
    const all: Sample = {
      objects: [...perEvent.objects, ...onePrefix.objects, ...compacted.objects],
      expected: sum(perEvent.expected, onePrefix.expected, compacted.expected),
    };
    let etl: LambdaProcess;
    let first: RunSummary;

    before(async () => {
      await world().put(all.objects);
      etl = await world().startFunction();
    });
    after(async () => {
      await etl?.stop();
      // What follows looks at the counts of every object, on days so old that the run that loads them would seal them; what
      // a killed run left behind there is read again and counted as duplicates.
      await world().warehouse.db.query("UPDATE etl.lookbacks SET sealed_to = NULL");
    });

    it("the scheduled event loads all: both layouts, more than 1,000 objects in one prefix", async () => {
      expect(onePrefix.objects.length).to.be.greaterThan(1000);
      first = answered(await etl.invoke(SCHEDULED));
      expectLoaded(first, all);
      expect(etl.peakMb).to.be.within(1, world().configuration.MemorySize ?? 0);
    });

    it("answer, log metrics, etl.runs and table agree", async () => {
      const { db } = world().warehouse;
      await expectIdentity(db, first);
      const { rows } = await db.query("SELECT trigger, status FROM etl.runs WHERE run_id = $1", [
        first.runId,
      ]);
      expect(rows).to.deep.equal([{ trigger: "schedule", status: "succeeded" }]);
      expect(metricsOf(etl.log)).to.deep.equal({
        service: "SBW_Lamda_ETL",
        EventsRead: first.events.read,
        EventsInserted: first.events.inserted,
        EventsDuplicate: first.events.duplicates,
        EventsRejected: first.events.rejected,
        EventsExpired: 0,
        ContractFindings: first.contract.findings.length,
        ObjectsLoaded: first.objects.loaded,
        ObjectsRemaining: 0,
        PrefixesUnlisted: 0,
        LedgerRowsSealed: 0,
        LedgerSealFailed: 0,
        EventsPruned: 0,
        PruneFailed: 0,
        AlertsRaised: first.alerts?.length,
        AlertsFailed: 0,
        RollupsStale: 0,
        SweepAge: metricsOf(etl.log).SweepAge,
        RunSucceeded: 1,
        RejectShare: (100 * first.events.rejected) / first.events.read,
      });
    });

    it("it came over TLS, by scram-sha-256, as etl_writer, with the password that Terraform wrote", async () => {
      const { db } = world().warehouse;
      const { rows } = await db.query(
        `SELECT DISTINCT ssl, usename FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE application_name = 'SBW_Lamda_ETL'`,
      );
      expect(rows).to.deep.equal([{ ssl: true, usename: "etl_writer" }]);
      const { rows: roles } = await db.query(
        "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' AS scram FROM pg_authid WHERE rolname = 'etl_writer'",
      );
      expect(roles).to.deep.equal([{ scram: true }]);
      expect(await world().parameter("etl-writer-password")).to.match(/^\w{40}$/);
    });

    it("the same event again loads nothing", async () => {
      const again = answered(await etl.invoke(SCHEDULED));
      expect(again.status).to.equal("skipped");
      expect(again.objects).to.include({ alreadyLoaded: again.objects.listed, loaded: 0, remaining: 0 });
      expect(again.events).to.deep.equal(sum());
    });

    it("late and overwritten objects are found by the sweep of the next day, and nothing else is", async () => {
      const from = new Date(Math.floor(Date.now() / DAY) * DAY - 2 * DAY);
      const late = sample({ events: 60, layout: "object", dirty: 0.1, seed: "e2e late", from, days: 1 });
      const other = sample({ events: 20, layout: "object", seed: "e2e overwrites", from, days: 1 });
      const overwritten = {
        ...other,
        objects: other.objects.map((object, index) => ({
          ...object,
          key: all.objects[index * 7]?.key ?? object.key,
        })),
      };
      await world().put([...late.objects, ...overwritten.objects]);
      await world().warehouse.db.query("UPDATE etl.lookbacks SET swept_at = swept_at - interval '1 day'");
      const summary = answered(await etl.invoke(SCHEDULED));
      expectLoaded(summary, {
        objects: [...late.objects, ...overwritten.objects],
        expected: sum(late.expected, overwritten.expected),
      });
      await expectIdentity(world().warehouse.db, summary);
    });

    it('{"from", "to"} backfills a day that no look-back reaches', async () => {
      const from = new Date(LONG_AGO);
      const old = sample({ events: 500, layout: "ndjson", dirty: 0.05, seed: "e2e old", from, days: 1 });
      await world().put(old.objects);
      expect(answered(await etl.invoke(SCHEDULED)).status).to.equal("skipped");
      expectLoaded(answered(await etl.invoke(backfill(LONG_AGO))), old);
    });

    const refusals: [what: string, event: object, reason: RegExp][] = [
      ["an unknown key", { form: "2025-12-06" }, /Unknown "form".*"from", "to"/],
      ["a reversed window", { from: "2025-12-07T00:00Z", to: "2025-12-06T00:00Z" }, /before|after|later/],
      ["a foreign bucket", { bucket: "somebody-elses" }, /may read clickstream-s3-ingest only/],
    ];
    for (const [what, event, reason] of refusals)
      it(`${what} is refused with its reason`, async () => {
        const { errorType, errorMessage } = refused(await etl.invoke(event));
        expect(errorType).to.equal("PlanError");
        expect(errorMessage).to.match(reason);
      });

    it("too little time leaves the rest, which the next event finishes", async () => {
      const from = new Date(LARGE_DAY);
      const large = sample({ events: 16_000, layout: "ndjson", seed: "e2e large", from, days: 1 });
      await world().put(large.objects);
      const { faults, etl: slow } = await world().startBehindFaults();
      await slow.invoke(SCHEDULED); // a cold start would take its part of the short time
      const held = faults.holdObject(1, () => sleep(0.75 * SHORT_MS + 200));
      const [outcome] = await Promise.all([slow.invoke(backfill(LARGE_DAY), SHORT_MS, PATIENCE_MS), held]);
      const cut = answered(outcome);
      expect(cut.status).to.equal("partial");
      expect(cut.objects.remaining).to.be.greaterThan(0);
      expect(cut.objects.loaded + cut.objects.remaining).to.equal(large.objects.length);
      const rest = answered(await slow.invoke(backfill(LARGE_DAY)));
      expect(rest.status).to.equal("succeeded");
      expect(rest.objects.loaded).to.equal(cut.objects.remaining);
      expect(sum(cut.events, rest.events)).to.deep.equal(large.expected);
    });
  });
}

/** What CloudWatch would make of the first line in embedded metric format: each name with its value. */
function metricsOf(log: readonly LogLine[]): Record<string, unknown> {
  const line = log.find((each) => "_aws" in each);
  if (line === undefined) throw new Error("The log holds no metrics.");
  const { CloudWatchMetrics } = line._aws as {
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
  };
  const [{ Namespace, Dimensions, Metrics } = { Namespace: "", Dimensions: [], Metrics: [] }] =
    CloudWatchMetrics;
  expect(Namespace).to.equal(METRICS_NAMESPACE);
  const { lakeDaysWaiting, lakeExportFailed, ...always } = METRICS; // those of the lake: there is none here
  expect(Metrics.map(({ Name }) => Name)).to.have.members(Object.values(always));
  const names = [...Dimensions.flat(), ...Metrics.map(({ Name }) => Name)];
  return Object.fromEntries(names.map((name) => [name, line[name]]));
}
