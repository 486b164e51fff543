import { expect } from "chai";
import { PlanError } from "../../../etl-lib/src/errors.js";
import { lookbackWindow, parseWindow } from "../../../etl-lib/src/extract/window.js";

const spans = ({ from, to }: { from: Date; to: Date }) => [from.toISOString(), to.toISOString()];

describe("parseWindow", () => {
  for (const [given, expected] of [
    ["2025-12-06", "2025-12-06T00:00:00.000Z"],
    ["2025-12-06T05", "2025-12-06T05:00:00.000Z"],
    ["2025-12-06T05Z", "2025-12-06T05:00:00.000Z"],
    ["2025-12-06T05:30", "2025-12-06T05:30:00.000Z"],
    ["2025-12-06T05:30Z", "2025-12-06T05:30:00.000Z"],
    ["2025-12-06T05:30:15", "2025-12-06T05:30:15.000Z"],
    ["2025-12-06T05:30:15.250Z", "2025-12-06T05:30:15.250Z"],
    ["2025-12-06T12:30+07:00", "2025-12-06T05:30:00.000Z"],
    ["2025-12-06T12+07:00", "2025-12-06T05:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ] as const)
    it(`reads ${given} as ${expected}`, () => {
      expect(parseWindow(given, "2030-01-01").from.toISOString()).to.equal(expected);
      expect(parseWindow("2000-01-01", given).to.toISOString()).to.equal(expected);
    });

  const refusal = (from: string, to: string): PlanError => {
    try {
      parseWindow(from, to, { from: "--from", to: "--to" });
    } catch (error) {
      expect(error).to.be.instanceOf(PlanError);
      return error as PlanError;
    }
    throw new Error("the window was taken");
  };

  for (const wrong of [
    "",
    "yesterday",
    "2025",
    "2025-12",
    "06/12/2025",
    "2025-13-01",
    "2025-12-32",
    "2025-02-30",
    "2025-02-30T05:00Z",
    "2025-02-29",
    "2025-12-06T25:00",
    "2025-12-06T05:61",
    "2025-12-06 05:00",
    "2025-12-06T05:00 07:00",
    "2025-12-06T05:00+0700",
    "2025-12-06Z",
    " 2025-12-06",
    "1764997200",
    "2025-12-06'; DROP TABLE x",
  ])
    it(`refuses ${JSON.stringify(wrong)}, naming the setting and the value`, () => {
      for (const error of [refusal(wrong, "2030-01-01"), refusal("2000-01-01", wrong)]) {
        expect(error.kind).to.equal("fatal");
        expect(error.message).to.include(`"${wrong}"`).and.to.match(/\.$/);
      }
      expect(refusal(wrong, "2030-01-01").message).to.match(/^--from must be an ISO 8601 time/);
      expect(refusal("2000-01-01", wrong).message).to.match(/^--to must be an ISO 8601 time/);
    });

  it("refuses an empty or reversed window in one sentence with both ends", () => {
    for (const [from, to] of [
      ["2025-12-06", "2025-12-06"],
      ["2025-12-07", "2025-12-06T23:00Z"],
    ] as const) {
      const { kind, message } = refusal(from, to);
      expect(kind).to.equal("fatal");
      expect(message).to.match(
        /^The window is empty: --from \(2025-12-0\dT.*Z\) must lie before --to \(.*Z\)\.$/,
      );
    }
  });
});

describe("lookbackWindow", () => {
  for (const [hours, now, from, to] of [
    [1, "2025-12-06T05:20:00.000Z", "2025-12-06T04:00:00.000Z", "2025-12-06T06:00:00.000Z"],
    [48, "2025-12-06T05:59:59.999Z", "2025-12-04T05:00:00.000Z", "2025-12-06T06:00:00.000Z"],
    [24, "2025-12-06T05:00:00.000Z", "2025-12-05T05:00:00.000Z", "2025-12-06T06:00:00.000Z"],
  ] as const)
    it(`of ${hours} h at ${now} holds every hour that they touch`, () => {
      expect(spans(lookbackWindow(hours, new Date(now)))).to.deep.equal([from, to]);
    });
});
