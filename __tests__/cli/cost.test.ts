import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { costTable } from "../../cli/cost/command.js";
import { estimate, type Load } from "../../cli/cost/estimate.js";
import { PRICES_AS_OF } from "../../cli/cost/prices.js";
import { loadConfig } from "../../stacks/config.js";
import { synthesize } from "../../testing/terraform/synth.js";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

const MILLION: Load = { eventsPerDay: 1_000_000, eventsPerObject: 1, retentionDays: 365, backfillHours: 0 };

function costOf(what: string, load: Load, context: Record<string, unknown> = {}): number {
  const found = estimate(loadConfig(context), load).find((line) => line.what === what);
  if (found === undefined) throw new Error(`There is no line ${what}.`);
  return found.usd;
}

describe("what it costs", () => {
  it("is, at a million one-event objects a day, 12 dollars of GET, and LIST by the hours that are looked at", () => {
    expect(costOf("S3 GET", MILLION)).to.be.closeTo(12.16, 0.01);
    // (730 runs × 3 hours + 30.4 days × 72 hours) × 42 pages of 1,000 keys
    expect(costOf("S3 LIST", MILLION)).to.be.closeTo(0.92, 0.01);
    expect(costOf("S3 LIST", MILLION, { recentHours: 71, lookbackHours: 72 })).to.be.closeTo(11.5, 0.01);
  });

  it("falls with the number of objects, not of events", () => {
    const compacted = { ...MILLION, eventsPerObject: 1000 };
    expect(costOf("S3 GET", compacted)).to.be.closeTo(0.012, 0.001);
    expect(costOf("S3 LIST", compacted)).to.be.closeTo(0.02, 0.005);
  });

  it("counts the endpoints and the host by the hour", () => {
    expect(costOf("interface endpoints", MILLION)).to.be.closeTo(28.47, 0.01);
    expect(costOf("interface endpoints", MILLION, { ec2MessagesEndpoint: false })).to.be.closeTo(18.98, 0.01);
    expect(costOf("host", MILLION)).to.be.closeTo(38.54, 0.01);
  });

  it("grows with what is kept: volume, snapshots and dumps", () => {
    for (const what of ["volumes", "snapshots", "dumps"])
      expect(costOf(what, { ...MILLION, retentionDays: 730 }), what).to.be.greaterThan(costOf(what, MILLION));
    expect(costOf("dumps", MILLION, { backupRetentionDays: 7 })).to.be.closeTo(
      costOf("dumps", MILLION) * (7 / 30),
      0.01,
    );
  });

  it("counts a backfill by its hours: what the machine goes through, and the function's work", () => {
    const year = { ...MILLION, backfillHours: 8760 };
    expect(costOf("backfill machine", MILLION)).to.equal(0);
    expect(costOf("backfill machine", year)).to.be.closeTo(0.88, 0.01);
    expect(costOf("function", year)).to.be.greaterThan(10 * costOf("function", MILLION));
  });

  for (const context of [{}, { warehouseInstanceType: "m7i.large" }, { webDb: true }, { lake: true }])
    it(`counts the alarms that the stacks have with ${JSON.stringify(context)}`, () => {
      const alarms = Object.values(synthesize(context)).flatMap((stack) =>
        stack.resources("aws_cloudwatch_metric_alarm"),
      );
      const { basis } =
        estimate(loadConfig(context), MILLION).find(({ what }) => what === "metrics and alarms") ?? {};
      expect(basis).to.match(new RegExp(` and ${alarms.length}$`));
    });

  it("stands in docs/cost.md and docs/deploying.md as it is reckoned", () => {
    const read = (page: string) => readFileSync(join(REPOSITORY, "docs", page), "utf8");
    const lines = estimate(loadConfig({}), MILLION);
    const page = read("cost.md");
    expect(page).to.include(costTable(lines, 120));
    expect(page).to.include(`as of ${PRICES_AS_OF}`);
    const whole = (...parts: string[]) =>
      lines
        .filter(({ what }) => parts.length === 0 || parts.some((part) => what.includes(part)))
        .reduce((total, { usd }) => total + usd, 0)
        .toFixed(0);
    expect(read("deploying.md").replaceAll("\n", " ")).to.include(
      `about US$ ${whole()} a month, of which the host and its three endpoints are US$ ${whole("host", "endpoints")}, disks, snapshots and dumps US$ ${whole("volumes", "snapshots", "dumps")} and S3's requests US$ ${whole("S3")}.`,
    );
    const compacted = estimate(loadConfig({}), { ...MILLION, eventsPerObject: 1000 });
    expect(page).to.include(
      `objects of 1,000 events costs US$ ${compacted.reduce((total, { usd }) => total + usd, 0).toFixed(0)}:`,
    );
  });

  it("has to know the instance's price", () => {
    expect(() => estimate(loadConfig({ warehouseInstanceType: "x2idn.large" }), MILLION)).to.throw(
      "cli/cost/prices.ts has no price for x2idn.large; it has t3.small, ",
    );
  });
});
