import { expect } from "chai";
import { longestGapHours } from "../../stacks/schedule-gap.js";

describe("the longest time between two runs of a schedule", () => {
  const gaps: [expression: string, hours: number | null][] = [
    ["rate(1 hour)", 1],
    ["rate(15 minutes)", 0.25],
    ["rate(2 days)", 48],
    ["cron(0 * * * ? *)", 1],
    ["cron(0/20 * * * ? *)", 1 / 3],
    ["cron(0 0/6 * * ? *)", 6],
    ["cron(30 8-18/2,22 * * ? *)", 10],
    ["cron(0 3 ? * * *)", 24],
    ["cron(0 3 ? * MON-FRI *)", Number.POSITIVE_INFINITY],
    ["cron(0 * 1 * ? *)", Number.POSITIVE_INFINITY],
    ["cron(60 * * * ? *)", null],
    ["cron(0 9-3 * * ? *)", null],
    ["cron(0 * * *)", null],
    ["rate(0 hours)", null],
    ["rate(hourly)", null],
  ];
  for (const [expression, hours] of gaps)
    it(`of ${expression} is ${hours} h`, () => {
      const gap = longestGapHours(expression);
      if (hours === null || !Number.isFinite(hours)) expect(gap).to.equal(hours);
      else expect(gap).to.be.closeTo(hours, 1e-9);
    });
});
