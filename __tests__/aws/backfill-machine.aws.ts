import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import { expect } from "chai";
import { Executions } from "../../cli/backfill/executions.js";
import { follow } from "../../cli/backfill/follow.js";
import type { Deployed } from "../../cli/deployed/deployed.js";
import { loadConfig } from "../../stacks/config.js";
import { backfillDefinition } from "../../stacks/constructs/backfill-definition.js";
import { artifactsBucketName } from "../../stacks/names.js";
import { type Moto, startMoto } from "../../testing/aws/moto.js";
import { findPrerequisites } from "../../testing/aws/prerequisites.js";
import { type AwsStandIn, startAwsStandIn } from "../../testing/aws/stand-in.js";
import type { Outcome } from "../../testing/lambda/runtime-api.js";

const HOUR = 3_600_000;
const HOURS = 1500;
const ACCOUNT = "123456789012";
const REGION = "ap-southeast-1";
const FROM = Date.UTC(2025, 0, 1);

describe("the machine for backfills, executed", () => {
  let standIn: AwsStandIn;
  let moto: Moto;

  before(async function () {
    if ("missing" in findPrerequisites()) this.skip();
    standIn = await startAwsStandIn(true);
    moto = await startMoto(new URL(standIn.url));
    standIn.passOnTo(moto.url);
  });
  after(async () => {
    await moto?.stop();
    await standIn?.stop();
  });

  it(`takes ${HOURS} hours, throttled, and names each that fails`, async function () {
    this.timeout(900_000);
    const options = {
      endpoint: standIn.url,
      region: REGION,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    };
    const sfn = new SFNClient(options);
    const s3 = new S3Client({ ...options, forcePathStyle: true });
    const config = loadConfig({});
    const name = artifactsBucketName(config, ACCOUNT);
    const place = { LocationConstraint: REGION } as const;
    await s3.send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: place }));
    const { stateMachineArn } = await sfn.send(
      new CreateStateMachineCommand({
        name: config.backfillName,
        roleArn: `arn:aws:iam::${ACCOUNT}:role/any`,
        definition: JSON.stringify(
          backfillDefinition(`arn:aws:lambda:${REGION}:${ACCOUNT}:function:${config.functionName}`),
        ),
      }),
    );
    const failing = Array.from({ length: HOURS / 25 }, (_, n) => startOf(n * 25 + 7));
    const loaded = new Map<string, number>();
    let running = 0;
    standIn.functions.set(config.functionName, (event) => {
      const { from, load } = event as { from: string; load?: boolean };
      if (running === 2) return null;
      running++;
      if (load !== false && !failing.includes(from)) loaded.set(from, (loaded.get(from) ?? 0) + 1);
      const errorMessage = `An object of ${from} is archived. ${"It is told at length. ".repeat(300)}`;
      return new Promise((resolve) => setTimeout(resolve, 5)).then(() => {
        running--;
        if (failing.includes(from)) return { error: { errorType: "EtlError", errorMessage } };
        return { result: { objects: { remaining: 0, unlisted: 0 }, rollupsRefreshed: true } } as Outcome;
      });
    });
    const executions = await Executions.of({
      config,
      clients: { sfn, s3 },
      output: async () => stateMachineArn,
      accountId: async () => ACCOUNT,
    } as unknown as Deployed);
    const arn = await executions.start({ from: new Date(FROM), to: new Date(FROM + HOURS * HOUR) }, 8);
    const state = await follow(() => executions.describe(arn), {
      signal: AbortSignal.timeout(850_000),
      everyMs: 2_000,
      onProgress: () => {},
    });
    expect(state).to.include({ status: "FAILED", hours: HOURS, done: HOURS });
    expect(state.reason).to.include("HoursNotLoaded");
    expect(state.failed.map(({ hour }) => hour)).to.deep.equal(failing);
    for (const { hour, why } of state.failed) expect(why).to.include(`An object of ${hour} is archived.`);
    expect(JSON.stringify(state.failed)).to.have.length.greaterThan(256 * 1024);
    expect(loaded.size).to.equal(HOURS - failing.length);
    expect([...loaded.values()]).to.satisfy((counts: number[]) => counts.every((count) => count === 1));
  });
});

const startOf = (hour: number): string => new Date(FROM + hour * HOUR).toISOString().replace(":00.000Z", "Z");
