import { expect } from "chai";
import { PlanError } from "etl-lib";
import { parseEvent } from "../../functions/etl/event.js";

const DEFAULTS = {
  rawBucket: "clickstream-s3-ingest",
  lookback: { hours: 24, recentHours: 2 },
};
const LOOKBACK = { window: null, lookback: DEFAULTS.lookback };
/** As EventBridge sends it. */
const SCHEDULED = {
  version: "0",
  id: "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
  "detail-type": "Scheduled Event",
  source: "aws.events",
  account: "123456789012",
  time: "2025-12-06T05:30:00Z",
  region: "ap-southeast-1",
  resources: ["arn:aws:events:ap-southeast-1:123456789012:rule/SBW_ETL_HOURLY_RULE"],
  detail: {},
};

const parse = (event: unknown) => parseEvent(event, DEFAULTS);

describe("the function's event", () => {
  it("of the schedule means the look-back window", () => {
    expect(parse(SCHEDULED)).to.deep.equal({ trigger: "schedule", ...LOOKBACK, dryRun: false });
  });

  it("may be empty: the look-back window by hand", () => {
    for (const event of [{}, null, undefined]) {
      expect(parse(event)).to.deep.equal({ trigger: "manual", ...LOOKBACK, dryRun: false, rollups: true });
    }
  });

  it("may name a window to backfill", () => {
    expect(parse({ from: "2025-12-01T00:00:00Z", to: "2025-12-02T00:00:00Z" })).to.deep.equal({
      trigger: "manual",
      window: { from: new Date("2025-12-01T00:00:00Z"), to: new Date("2025-12-02T00:00:00Z") },
      dryRun: false,
      rollups: true,
    });
  });

  it("may leave the rollups to a later run", () => {
    const event = { from: "2025-12-01T00:00:00Z", to: "2025-12-02T00:00:00Z", rollups: false };
    expect(parse(event)).to.include({ rollups: false });
  });

  it("may name a prefix, which no window bounds", () => {
    expect(parse({ prefix: "events/2025/12/06/", dryRun: true })).to.deep.equal({
      trigger: "manual",
      window: null,
      prefix: "events/2025/12/06/",
      dryRun: true,
      rollups: true,
    });
  });

  it("may ask for a dry run of the look-back window", () => {
    expect(parse({ dryRun: true })).to.deep.equal({
      trigger: "manual",
      ...LOOKBACK,
      dryRun: true,
      rollups: true,
    });
  });

  it("may refresh the rollups alone", () => {
    expect(parse({ load: false }))
      .to.include({ window: null, load: false, rollups: true })
      .and.not.have.property("lookback");
  });

  const refused: [name: string, event: unknown, sentence: string][] = [
    [
      "unknown keys, and lists the known ones",
      { form: "2025-12-01", until: 1 },
      'Unknown "form", "until" in the event; known are "from", "to", "prefix", "dryRun", "rollups", "load".',
    ],
    [
      "another bucket, and says why",
      { bucket: "somebody-elses", prefix: "events/" },
      '"bucket" cannot be chosen: this function may read clickstream-s3-ingest only (RAW_BUCKET), its role allows no other.',
    ],
    [
      "half a window",
      { from: "2025-12-01T00:00:00Z" },
      '"from" and "to" go together, both as text, e.g. "2025-12-06T00:00:00Z".',
    ],
    [
      "a window and a prefix at once",
      { from: "2025-12-01T00:00:00Z", to: "2025-12-02T00:00:00Z", prefix: "events/" },
      'Give either "prefix" or "from" and "to", not both.',
    ],
    [
      "a prefix that its role cannot read",
      { prefix: "private/" },
      '"prefix" has to begin with "events/", but is "private/".',
    ],
    ["a dryRun that is text", { dryRun: "yes" }, '"dryRun" has to be true or false, but is "yes".'],
    ["a list", [1], "The event has to be a JSON object, but is [1]."],
  ];
  for (const [name, event, sentence] of refused) {
    it(`refuses ${name}`, () => {
      expect(() => parse(event)).to.throw(PlanError, sentence);
    });
  }

  it("refuses a window that ends before it begins, with the library's own sentence", () => {
    expect(() => parse({ from: "2025-12-02T00:00:00Z", to: "2025-12-01T00:00:00Z" })).to.throw(PlanError);
  });
});
