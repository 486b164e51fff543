import { type GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SFNClient } from "@aws-sdk/client-sfn";
import { expect } from "chai";
import { parseWindow } from "etl-lib";
import { type BackfillState, Executions } from "../../cli/backfill/executions.js";
import { follow } from "../../cli/backfill/follow.js";
import { planHours } from "../../cli/backfill/plan.js";
import { reportText } from "../../cli/backfill/view.js";
import type { Deployed } from "../../cli/deployed/deployed.js";
import { loadConfig } from "../../stacks/config.js";
import { type StatesApi, startStatesApi } from "../../testing/cli/states-api.js";

const MACHINE = "arn:aws:states:ap-southeast-1:111122223333:stateMachine:SBW_ETL_BACKFILL";
const EXECUTION = `${MACHINE.replace("stateMachine", "execution")}:one`;
const FOLDER = "backfills/2026-11-01T2200Z--2026-11-03T0400Z--7";
const NOTES = [
  { hour: "2026-11-03T00:00Z", why: "Lambda.Unknown" },
  { hour: "2026-11-02T05:00Z", why: "b/key is archived" },
];
const INPUT = {
  bucket: "clickstream-production-artifacts-111122223333",
  folder: FOLDER,
  firstHours: 3,
  otherHours: 27,
  from: "2026-11-01T22:00:00.000Z",
  to: "2026-11-03T04:00:00.000Z",
};

describe("backfill", () => {
  describe("planHours", () => {
    it("cuts a window at every hour, and puts the first of each day before the others", () => {
      const { first, others } = planHours(parseWindow("2026-11-01T22:30Z", "2026-11-03T01:15Z"));
      expect(first).to.deep.equal([
        { from: "2026-11-01T22:30Z", to: "2026-11-01T23:00Z" },
        { from: "2026-11-02T00:00Z", to: "2026-11-02T01:00Z" },
        { from: "2026-11-03T00:00Z", to: "2026-11-03T01:00Z" },
      ]);
      expect(others).to.have.length(1 + 23 + 1);
      expect(others.at(-1)).to.deep.equal({ from: "2026-11-03T01:00Z", to: "2026-11-03T01:15Z" });
    });

    it("takes as many hours as the results of one execution have room for", () => {
      const from = Date.UTC(2020, 0, 1);
      const window = (hours: number) => ({ from: new Date(from), to: new Date(from + hours * 3_600_000) });
      const { first, others } = planHours(window(25_000));
      const results = [...first, ...others].map(() => ({ ok: 1 }));
      expect(JSON.stringify(results)).to.have.length.lessThan(256 * 1024);
      expect(() => planHours(window(25_001))).to.throw(
        "--from and --to span 25001 hours; one backfill takes 25000",
      );
    });

    it("covers a year", () => {
      const { first, others } = planHours(parseWindow("2025-01-01", "2026-01-01"));
      expect([first.length, others.length]).to.deep.equal([365, 8395]);
    });
  });

  describe("the executions of the deployed machine", () => {
    let api: StatesApi;
    let executions: Executions;
    let status = "RUNNING";
    const put: { Bucket: string; Key: string; Body: string }[] = [];

    before(async () => {
      api = await startStatesApi({
        StartExecution: () => ({ executionArn: EXECUTION, startDate: 0 }),
        StopExecution: () => ({ stopDate: 0 }),
        DescribeExecution: () => ({
          executionArn: EXECUTION,
          status,
          startDate: 1_795_000_000,
          input: JSON.stringify(INPUT),
          ...(status === "FAILED" && { error: "HoursNotLoaded" }),
        }),
        ListExecutions: () => ({
          executions: [
            { executionArn: "old", stateMachineArn: MACHINE, name: "old", status: "SUCCEEDED", startDate: 5 },
            { executionArn: EXECUTION, stateMachineArn: MACHINE, name: "one", status, startDate: 9 },
          ],
        }),
        ListMapRuns: () => ({ mapRuns: [{ mapRunArn: "first" }, { mapRunArn: "others" }] }),
        DescribeMapRun: ({ mapRunArn }) => ({
          itemCounts:
            mapRunArn === "first" ? { succeeded: 3, running: 0 } : { succeeded: 5, failed: 1, running: 4 },
        }),
      });
      const credentials = { accessKeyId: "a", secretAccessKey: "b" };
      const sfn = new SFNClient({ endpoint: api.url, region: "ap-southeast-1", credentials });
      const s3 = Object.assign(new S3Client({ region: "ap-southeast-1", credentials }), {
        send: async (command: object) => {
          if (command instanceof PutObjectCommand) return void put.push(command.input as (typeof put)[0]);
          if (command instanceof ListObjectsV2Command) {
            expect(command.input).to.include({ Bucket: INPUT.bucket, Prefix: `${FOLDER}/failed/` });
            return { Contents: NOTES.map(({ hour }) => ({ Key: `${FOLDER}/failed/${hour}.json` })) };
          }
          const { Key } = (command as GetObjectCommand).input;
          const note = NOTES.find(({ hour }) => Key?.endsWith(`${hour}.json`));
          return { Body: { transformToString: async () => JSON.stringify(note) } };
        },
      });
      executions = await Executions.of({
        config: loadConfig({}),
        clients: { sfn, s3 },
        output: async () => MACHINE,
        accountId: async () => "111122223333",
      } as unknown as Deployed);
    });
    after(() => api.stop());
    beforeEach(() => {
      status = "RUNNING";
      api.requests.length = 0;
    });

    it("start with the hours in the artifacts bucket", async () => {
      const window = parseWindow("2026-11-01T22:00Z", "2026-11-03T04:00Z");
      expect(await executions.start(window, 4, new Date(7))).to.equal(EXECUTION);
      expect(put.map(({ Bucket, Key }) => `${Bucket}/${Key}`)).to.deep.equal([
        `clickstream-production-artifacts-111122223333/${FOLDER}/first.json`,
        `clickstream-production-artifacts-111122223333/${FOLDER}/others.json`,
      ]);
      const body = api.requests[0]?.body ?? {};
      expect(body).to.include({ stateMachineArn: MACHINE, name: FOLDER.split("/")[1] });
      expect(JSON.parse(body.input as string)).to.include({ ...INPUT, maxConcurrency: 4, refreshes: 0 });
    });

    it("are found again: the one that runs, or else the last", async () => {
      expect(await executions.newest()).to.equal(EXECUTION);
      status = "FAILED";
      expect(await executions.newest()).to.equal(EXECUTION);
    });

    it("are stopped", async () => {
      await executions.stop(EXECUTION);
      expect(api.requests).to.have.nested.property("[0].operation", "StopExecution");
    });

    it("say how far they are", async () => {
      expect(await executions.describe(EXECUTION)).to.deep.include({
        status: "RUNNING",
        hours: 30,
        done: 9,
        running: 4,
        failed: [],
        reason: null,
      });
    });

    it("name the hours that are not loaded", async () => {
      status = "FAILED";
      const state = await executions.describe(EXECUTION);
      expect(state.failed.map(({ hour }) => hour)).to.deep.equal(["2026-11-02T05:00Z", "2026-11-03T00:00Z"]);
      const text = reportText(state);
      for (const said of [
        "FAILED: HoursNotLoaded",
        "✘ 2026-11-02T05:00Z: b/key is archived",
        "✘ 2026-11-03T00:00Z",
      ])
        expect(text).to.include(said);
    });
  });

  describe("follow", () => {
    const state = (status: string) => ({ status }) as BackfillState;
    const seen = async (statuses: string[], signal = new AbortController().signal) => {
      const told: string[] = [];
      const last = await follow(async () => state(statuses.shift() ?? "RUNNING"), {
        signal,
        everyMs: 1,
        onProgress: ({ status }) => void told.push(status),
      });
      return [told.length, last.status];
    };

    it("ends with the execution", async () => {
      expect(await seen(["RUNNING", "RUNNING", "SUCCEEDED"])).to.deep.equal([3, "SUCCEEDED"]);
    });

    it("leaves it running when it is asked to stop", async () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 20);
      expect((await seen([], controller.signal))[1]).to.equal("RUNNING");
    });
  });
});
