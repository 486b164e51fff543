import type { GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import { expect } from "chai";
import type { Deployed } from "../../cli/deployed/deployed.js";
import type { Check } from "../../cli/doctor/check.js";
import { LAKE_CHECKS } from "../../cli/doctor/lake-checks.js";
import { METRICS } from "../../functions/etl/contract.js";
import { loadConfig } from "../../stacks/config.js";

const NOW = new Date("2026-11-24T12:00:00Z");

interface Seen {
  readonly lake?: boolean;
  readonly lakeBucket?: string;
  /** What listing the bucket ends with. */
  readonly error?: string;
  readonly metrics?: { readonly [name: string]: number };
}

/** What the check says of an environment that looks so, and the buckets that it asked for. */
async function inspect({ lake = true, lakeBucket, error, metrics = {} }: Seen) {
  const buckets: string[] = [];
  const s3 = {
    async send({ input }: { input: { Bucket: string } }) {
      buckets.push(input.Bucket);
      if (error) throw Object.assign(new Error(error), { name: error });
      return {};
    },
  };
  const cloudwatch = {
    async send({ input }: GetMetricStatisticsCommand) {
      const Maximum = metrics[input.MetricName ?? ""];
      return { Datapoints: Maximum === undefined ? [] : [{ Timestamp: NOW, Sum: Maximum, Maximum }] };
    },
  };
  const deployed = {
    config: loadConfig({ lake, ...(lakeBucket && { lakeBucket }) }),
    clients: { s3, cloudwatch },
    output: async () => "SBW_Lamda_ETL",
    accountId: async () => "123456789012",
  } as unknown as Deployed;
  const [check] = LAKE_CHECKS as [Check];
  return { ...(await check.inspect({ deployed, now: NOW })), buckets };
}

describe("doctor's look at the lake", () => {
  const well = { [METRICS.lakeDaysWaiting]: 1, [METRICS.lakeExportFailed]: 0 };

  it("asks nothing when there is none", async () =>
    expect(await inspect({ lake: false })).to.deep.equal({ holds: true, detail: "off", buckets: [] }));

  it("holds while runs keep up with the days", async () =>
    expect(await inspect({ metrics: well })).to.deep.equal({
      holds: true,
      detail: "closed days to be written: 1",
      buckets: ["clickstream-production-artifacts-123456789012"],
    }));

  const FAILS: [string, Seen, RegExp][] = [
    [
      "its bucket is not there",
      { lakeBucket: "years", error: "NoSuchBucket" },
      /^its bucket years is not there/,
    ],
    ["no run has looked at it", {}, /^no run has looked at it for 24 h/],
    [
      "a day could not be written",
      { metrics: { ...well, [METRICS.lakeExportFailed]: 1 } },
      /^a day could not be/,
    ],
    [
      "days pile up",
      { metrics: { ...well, [METRICS.lakeDaysWaiting]: 4 } },
      /^closed days to be written: 4$/,
    ],
  ];
  for (const [what, seen, says] of FAILS)
    it(`fails when ${what}, and says what to do`, async () => {
      const found = await inspect(seen);
      expect(found).to.include({ holds: false });
      expect(found.detail).to.match(says);
      expect(found).to.have.property("fix").that.is.a("string").and.not.equal("");
    });

  it("passes on what else the bucket answers: a permission that is lacking is no missing bucket", async () => {
    const error = await inspect({ error: "AccessDenied" }).catch((reason: Error) => reason);
    expect(error).to.be.an("error").with.property("name", "AccessDenied");
  });
});
