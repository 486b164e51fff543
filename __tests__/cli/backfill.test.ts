import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { parseWindow } from "etl-lib";
import fc from "fast-check";
import { type BackfillOptions, backfill } from "../../cli/backfill/backfill.js";
import { createInvoker } from "../../cli/backfill/invoke.js";
import { groupByDay, planSlices } from "../../cli/backfill/plan.js";
import { openProgressFile } from "../../cli/backfill/progress-file.js";
import { runSlice } from "../../cli/backfill/slice.js";
import { reportText } from "../../cli/backfill/view.js";
import { type Answer, type LambdaApi, startLambdaApi, summary } from "./support/lambda-api.js";

const NAME = "SBW_Lamda_ETL";
const DAY = parseWindow("2025-12-06", "2025-12-07");
const HOURS = planSlices(DAY, "hour");
/** The SDK wants to sign; nobody checks the signature. */
const CREDENTIALS = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
const THROTTLED: Answer = {
  refusal: { status: 429, type: "TooManyRequestsException", message: "Rate Exceeded." },
};

describe("the plan of a backfill", () => {
  it("has one slice for each UTC hour or day", () => {
    expect(HOURS).to.have.length(24);
    expect(HOURS[5]).to.deep.equal({ from: "2025-12-06T05:00Z", to: "2025-12-06T06:00Z" });
    expect(planSlices(DAY, "day")).to.deep.equal([{ from: "2025-12-06T00:00Z", to: "2025-12-07T00:00Z" }]);
  });

  it("clips the first and the last slice to the window", () => {
    expect(planSlices(parseWindow("2025-12-06T22:30", "2025-12-08T03:00"), "day")).to.deep.equal([
      { from: "2025-12-06T22:30Z", to: "2025-12-07T00:00Z" },
      { from: "2025-12-07T00:00Z", to: "2025-12-08T00:00Z" },
      { from: "2025-12-08T00:00Z", to: "2025-12-08T03:00Z" },
    ]);
  });

  it("covers any window exactly, without gap or overlap", () => {
    const start = Date.parse("2024-02-27T00:00Z");
    const minutes = fc.integer({ min: 0, max: 5 * 24 * 60 });
    fc.assert(
      fc.property(minutes, minutes, fc.constantFrom("hour", "day"), (offset, length, by) => {
        const from = new Date(start + offset * 60_000);
        const to = new Date(from.getTime() + (length + 1) * 60_000);
        const slices = planSlices({ from, to }, by);
        expect(Date.parse(slices[0]?.from as string)).to.equal(from.getTime());
        expect(Date.parse(slices.at(-1)?.to as string)).to.equal(to.getTime());
        for (const [index, slice] of slices.slice(1).entries())
          expect(slice.from).to.equal(slices[index]?.to);
      }),
    );
  });

  it("keeps the slices of a day together", () => {
    const days = groupByDay(planSlices(parseWindow("2025-12-06T20:00", "2025-12-07T02:00"), "hour"));
    expect(days.map((day) => day.length)).to.deep.equal([4, 2]);
  });
});

describe("a backfill", () => {
  let folder: string;
  let lambda: LambdaApi;
  const own = { ...process.env };

  before(() => Object.assign(process.env, CREDENTIALS));
  after(() => {
    for (const key of [...Object.keys(CREDENTIALS), "AWS_ENDPOINT_URL_LAMBDA"]) delete process.env[key];
    Object.assign(process.env, own);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "backfill-"));
  });
  afterEach(async () => {
    await lambda?.stop();
    rmSync(folder, { recursive: true });
  });

  const serve = async (run: Parameters<typeof startLambdaApi>[1]) => {
    lambda = await startLambdaApi(NAME, run);
    return invoker(NAME);
  };
  const invoker = (functionName: string) => {
    process.env.AWS_ENDPOINT_URL_LAMBDA = lambda.url;
    return createInvoker({ region: "eu-west-1", functionName, timeoutSeconds: 5 });
  };
  const start = (options: Pick<BackfillOptions, "invoke"> & Partial<BackfillOptions>) =>
    backfill({
      slices: HOURS,
      parallel: 4,
      dryRun: false,
      file: null,
      signal: new AbortController().signal,
      onProgress: () => {},
      ...options,
    });

  it("invokes the function for every slice once and adds up its answers", async () => {
    const counts = { read: 10, inserted: 7, duplicates: 2, rejected: 1 };
    const invoke = await serve(() => ({ summary: summary({ loaded: 3, events: counts }) }));
    const report = await start({ invoke });
    expect(lambda.events).to.have.deep.members(HOURS);
    expect(report).to.deep.include({ total: 24, done: 24, resumed: 0, failed: [] });
    expect(report.sums).to.deep.equal({
      ...{ invocations: 24, objects: 72, read: 240, inserted: 168, duplicates: 48, rejected: 24 },
    });
  });

  it("runs as many at a time as it may, and no more", async () => {
    const invoke = await serve(async () => {
      await sleep(20);
      return { summary: summary() };
    });
    await start({ invoke, parallel: 3 });
    expect(lambda.peak).to.equal(3);
  });

  it("finishes one slice of a day before the others of that day start", async () => {
    let isFirstDone = false;
    const early: string[] = [];
    const invoke = await serve(async ({ from }) => {
      if (from === HOURS[0]?.from) {
        await sleep(50);
        isFirstDone = true;
      } else if (!isFirstDone) early.push(from);
      return { summary: summary() };
    });
    await start({ invoke, parallel: 8 });
    expect(early).to.deep.equal([]);
  });

  it("repeats a slice until nothing of it remains", async () => {
    let left = 5;
    const invoke = await serve(() => {
      left -= 2;
      const events = { read: 4, inserted: 4 };
      return { summary: summary({ loaded: 2, remaining: Math.max(left, 0), events }) };
    });
    const sums = await runSlice(HOURS[0] as never, invoke);
    expect(sums).to.deep.include({ invocations: 3, objects: 6, inserted: 12 });
  });

  it("gives up a slice of which several runs in a row load nothing", async () => {
    const invoke = await serve(() => ({ summary: summary({ loaded: 0, remaining: 2 }) }));
    const report = await start({ invoke, slices: HOURS.slice(0, 1) });
    expect(lambda.events).to.have.length(3);
    expect(report.failed[0]?.reason).to.equal("2 objects remain, and 3 runs in a row loaded none of them.");
  });

  it("waits and tries again where Lambda has no room for another run", async () => {
    let refusals = 2;
    const invoke = await serve(() => (refusals-- > 0 ? THROTTLED : { summary: summary() }));
    const sums = await runSlice(HOURS[0] as never, invoke, { pauseMs: 1 });
    expect(sums.invocations).to.equal(1);
    expect(lambda.events).to.have.length(3);
  });

  it("lists what failed with the function's own reason, starts it once, and stops no other", async () => {
    const reason = "2 of 5 objects could not be read; the next run tries them again.";
    const bad = [HOURS[7], HOURS[3]];
    const invoke = await serve(({ from }) =>
      bad.some((slice) => slice?.from === from) ? { functionError: reason } : { summary: summary() },
    );
    const report = await start({ invoke });
    expect(report.done).to.equal(22);
    expect(report.failed).to.deep.equal([
      { ...HOURS[3], reason },
      { ...HOURS[7], reason },
    ]);
    expect(lambda.events).to.have.length(24);
    expect(reportText(report, { dryRun: false }))
      .to.include(`✘ 2025-12-06T03:00Z – 2025-12-06T04:00Z  ${reason}`)
      .and.include("22 of 24")
      .and.include("Give the same command again");
  });

  it("says that the function is not there", async () => {
    await serve(() => ({ summary: summary() }));
    const report = await start({ invoke: invoker("another"), slices: HOURS.slice(0, 1) });
    expect(report.failed[0]?.reason).to.include("The function another is not there");
  });

  it("goes on where it stopped: with what is not done, and with the sums of what is", async () => {
    let isWell = false;
    const invoke = await serve(({ from }) =>
      from >= "2025-12-06T20" && !isWell
        ? { functionError: "disk full" }
        : { summary: summary({ events: { read: 1, inserted: 1 } }) },
    );
    const first = await start({ invoke, file: await openProgressFile(folder, NAME, DAY) });
    expect(first).to.deep.include({ done: 20, resumed: 0 });
    expect(readdirSync(folder)).to.deep.equal([`${NAME}-2025-12-06T0000Z-2025-12-07T0000Z.json`]);
    isWell = true;
    lambda.events.length = 0;
    const file = await openProgressFile(folder, NAME, DAY);
    const second = await start({ invoke, file });
    expect(lambda.events.map(({ from }) => from).sort()).to.deep.equal(
      HOURS.slice(20).map(({ from }) => from),
    );
    expect(second).to.deep.include({ done: 24, resumed: 20, failed: [] });
    expect(second.sums).to.deep.include({ invocations: 24, inserted: 24 });
    await file.remove();
    expect(existsSync(file.path)).to.equal(false);
  });

  it("starts nothing new once it is stopped, and remembers what was running", async () => {
    const controller = new AbortController();
    const invoke = await serve(async () => {
      await sleep(20);
      return { summary: summary() };
    });
    const file = await openProgressFile(folder, NAME, DAY);
    const onProgress: BackfillOptions["onProgress"] = ({ done }) => done >= 5 && controller.abort();
    const report = await start({ invoke, file, parallel: 2, signal: controller.signal, onProgress });
    expect(report.failed).to.deep.equal([]);
    expect(report.done).to.be.within(5, 7).and.to.equal(lambda.events.length);
    expect(reportText(report, { dryRun: false })).to.include(`Stopped: ${24 - report.done} windows`);
    const again = await openProgressFile(folder, NAME, DAY);
    expect(HOURS.filter((slice) => again.doneBefore(slice) !== null)).to.have.length(report.done);
  });

  it("asks for a dry run once, also where something remains", async () => {
    const invoke = await serve(() => ({ summary: summary({ remaining: 9 }) }));
    await start({ invoke, dryRun: true, slices: HOURS.slice(0, 1) });
    expect(lambda.events).to.deep.equal([{ ...HOURS[0], dryRun: true }]);
  });

  it("names the progress file when that is damaged", async () => {
    const { path } = await openProgressFile(folder, NAME, DAY);
    writeFileSync(path, "{");
    const error: Error = await openProgressFile(folder, NAME, DAY).then(
      () => expect.fail("It should have been refused."),
      (cause) => cause,
    );
    expect(error.message).to.include(path).and.include("remove it");
  });
});
