import { DeleteVpcEndpointsCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { expect } from "chai";
import { Account, only } from "../../testing/aws/account.js";
import { type AwsEmulator, startEmulator } from "../../testing/aws/emulator.js";
import { serveForADay } from "../../testing/aws/healthy.js";
import { createOperator, type Operator } from "../../testing/aws/operator.js";
import { describeBackfill } from "./operator/backfill.js";
import { describeDoctor } from "./operator/doctor.js";
import { describeTunnel } from "./operator/tunnel.js";

const SETTINGS = { createRawBucket: true };

describe("the operator's commands, on what was deployed", () => {
  let aws: AwsEmulator;
  let operator: Operator;

  before(async function () {
    aws = await startEmulator(this);
    operator = createOperator(new Account(aws), aws.environment(SETTINGS));
    const { code, output } = await aws.cdktf("deploy", SETTINGS);
    expect(code, output.slice(-3000)).to.equal(0);
    await serveForADay(operator.account);
  });
  after(() => aws?.stop());

  describeDoctor(() => operator);
  describeTunnel(() => operator);
  describeBackfill(() => operator);

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
