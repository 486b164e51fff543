import { DeleteVpcEndpointsCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Account, only } from "../../testing/aws/account.js";
import { type AwsEmulator, startEmulator } from "../../testing/aws/emulator.js";
import { serveForADay } from "../../testing/aws/healthy.js";
import { createOperator, type Operator } from "../../testing/aws/operator.js";
import { runbookBlocks } from "../../testing/runbook.js";
import { REPOSITORY, run } from "../../testing/terraform/terraform.js";
import { describeBackfill } from "./operator/backfill.js";
import { describeDoctor } from "./operator/doctor.js";
import { describeRecovery } from "./operator/recovery.js";
import { describeTunnel } from "./operator/tunnel.js";

/** The state's bucket is the default one, as outside of tests. */
const STATE_BUCKET = "clickstream-production-terraform-state";
const SETTINGS = { createRawBucket: true, stateBucket: STATE_BUCKET };

describe("the operator's commands, on what was deployed", () => {
  let aws: AwsEmulator;
  let operator: Operator;

  before(async function () {
    aws = await startEmulator(this);
    operator = createOperator(new Account(aws), aws.environment(SETTINGS));
    const refused = await aws.cdktf("deploy", SETTINGS);
    expect(refused.output).to.include(`This account has no bucket ${STATE_BUCKET}`);
    await makeStateBucket();
    const { code, output } = await aws.cdktf("deploy", SETTINGS);
    expect(code, output.slice(-3000)).to.equal(0);
    await serveForADay(operator.account);
  });
  after(() => aws?.stop());

  /** As the runbook says for the first deploy. */
  async function makeStateBucket(): Promise<void> {
    const [commands = ""] = runbookBlocks("First deploy");
    const env = { ...operator.env, AWS_DEFAULT_REGION: aws.region };
    const { code, output } = await run("bash", ["-c", `set -e\n${commands}`], { cwd: REPOSITORY, env });
    expect(code, output).to.equal(0);
  }

  it("deploy into the bucket of the default configuration: each stack's state lies there, and no lock is left", async () => {
    const { s3 } = operator.account.clients;
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: STATE_BUCKET }));
    expect(Contents?.map(({ Key }) => Key)).to.deep.equal(
      ["endpoints", "network", "scheduler", "warehouse"].map(
        (stack) => `clickstream/production/${stack}.tfstate`,
      ),
    );
  });

  describeDoctor(() => operator);
  describeTunnel(() => operator);
  describeBackfill(() => operator);
  describeRecovery(() => operator, SETTINGS);

  // A suite, because mocha runs the tests of a suite before the suites in it.
  describe("what is gone for good", () => {
    it("doctor says that it is", async () => {
      const { ec2 } = operator.account.clients;
      const endpoint = await operator.account.s3Endpoint();
      await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: [endpoint.VpcEndpointId as string] }));
      const { InstanceId } = only(await operator.account.instances());
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId as string] }));
      const { code, stdout } = await operator.run("doctor");
      expect(code).to.equal(1);
      expect(stdout).to.match(/^✘ instance .* no longer exists → deploy the warehouse stack/m);
      expect(stdout).to.match(/^✘ endpoints .*s3 is (deleted|not there) → deploy the endpoints stack/m);
    });
  });
});
