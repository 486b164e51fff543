import { expect } from "chai";
import { Account } from "../../testing/aws/account.js";
import { type AwsEmulator, startEmulator } from "../../testing/aws/emulator.js";
import { EMULATOR_ONLY, sortChanges } from "../../testing/aws/emulator-only.js";
import { leftovers } from "../../testing/aws/leftovers.js";
import { describeReadBack } from "./read-back.js";

const STACKS = ["endpoints", "network", "scheduler", "warehouse"];
/** All else is the default: the seed's names and numbers. */
const PROTECTED = { createRawBucket: true };
const UNPROTECTED = { ...PROTECTED, protectData: false };

describe("the four stacks, on an emulator of AWS", () => {
  let aws: AwsEmulator;
  let account: Account;

  before(async function () {
    aws = await startEmulator(this);
    account = new Account(aws);
  });
  after(() => aws?.stop());

  // Suites of their own, for mocha runs a suite's tests before its inner suites.
  describe("deployed", () => {
    it("plan before the first deploy: the network, and in words which stacks wait for which", async () => {
      const { code, report } = await aws.plan(PROTECTED);
      expect(code).to.equal(0);
      expect(report.stacks.map(({ stack, status }) => [stack, status])).to.deep.equal([
        ["network", "planned"],
        ["endpoints", "waiting"],
        ["warehouse", "waiting"],
        ["scheduler", "waiting"],
      ]);
      expect(report.counts.create).to.be.greaterThan(20);
    });

    it("deploy from nothing", async () => {
      const { code, output } = await aws.cdktf("deploy", PROTECTED);
      expect(code, output.slice(-3000)).to.equal(0);
      expect(Object.keys(aws.resources()).sort()).to.deep.equal(STACKS);
      expect(aws.standIn.unanswered).to.deep.equal([]);
    });

    it("plan again: nothing changes but what the emulator forgets", async () => {
      const { code, report } = await aws.plan(PROTECTED);
      expect(sortChanges(report)).to.deep.equal({ real: [], emulatorOnly: EMULATOR_ONLY });
      expect(code).to.equal(0);
      expect(report.counts).to.deep.include({ create: 0, replace: 0, destroy: 0 });
      expect(report.stacks.flatMap(({ outputs }) => outputs)).to.deep.equal([]);
    });
  });

  describeReadBack(() => account);

  describe("changed and destroyed", () => {
    it("change one value of the configuration: exactly that is planned", async () => {
      const { code, report } = await aws.plan({ ...PROTECTED, lookbackHours: 48 });
      expect(sortChanges(report)).to.deep.equal({
        real: [
          {
            address: "aws_lambda_function.etl_function",
            attribute: "environment[0].variables.ETL_LOOKBACK_HOURS",
            before: "72",
            after: "48",
          },
        ],
        emulatorOnly: EMULATOR_ONLY,
      });
      expect(code).to.equal(0);
    });

    it("are changed by the plan that was saved, and by nothing else", async () => {
      const changed = { ...PROTECTED, lookbackHours: 48 };
      const saved = await aws.command(changed, "plan", "--save");
      expect(saved.code, saved.output).to.equal(0);
      const { code, output } = await aws.command(PROTECTED, "deploy", "--plan");
      expect(code, output).to.equal(0);
      expect(output).to.include("network: applied").and.include("scheduler: applied");
      expect(sortChanges((await aws.plan(changed)).report).real).to.deep.equal([]);
      expect((await aws.command(changed, "deploy", "--plan")).output).to.include("There is no saved plan");
    });

    it("diff one stack alone", async () => {
      const { code, output } = await aws.command(PROTECTED, "diff", "scheduler");
      expect(code, output).to.equal(0);
      expect(output).to.include("ETL_LOOKBACK_HOURS").and.not.include("aws_vpc.vpc");
    });

    it("deploy one stack alone, on what the others have in the state", async () => {
      const args = ["deploy", "scheduler", "--auto-approve", "--skip-provider-lock"];
      const { code, output } = await aws.command(PROTECTED, ...args);
      expect(code, output.slice(-3000)).to.equal(0);
    });

    it("refuse to be destroyed while their data is protected", async () => {
      const before = aws.resources();
      const { code, output } = await aws.cdktf("destroy", PROTECTED);
      expect(code).to.equal(1);
      expect(output).to.include("Set protectData to false");
      expect(aws.resources()).to.deep.equal(before);
    });

    // Asked of Terraform itself: cdktf may end before its last lines are out.
    const guarded: [stack: string, ...resources: string[]][] = [
      ["scheduler", "terraform_data.data_is_protected", "aws_s3_bucket.raw_bucket"],
      [
        "warehouse",
        "aws_ebs_volume.dwh_data_volume",
        "aws_s3_bucket.artifacts_bucket",
        "aws_s3_bucket.access_logs_bucket",
      ],
    ];
    for (const [stack, ...resources] of guarded) {
      it(`protect ${resources.join(" and ")}`, async () => {
        const { code, output } = await aws.planDestroy(stack);
        expect(code).to.equal(1);
        const refusals = output.split("Error: Instance cannot be destroyed").slice(1);
        expect(refusals).to.have.length(resources.length);
        for (const resource of resources) expect(output).to.include(`Resource ${resource} `);
      });
    }

    it("look for a raw bucket that is not there: a failed plan that names createRawBucket", async () => {
      const { code, report } = await aws.plan({ rawBucket: "not-there" });
      const scheduler = report.stacks.find(({ stack }) => stack === "scheduler");
      expect(scheduler).to.deep.include({ status: "failed" });
      expect(scheduler?.message).to.include("createRawBucket");
      expect(code).to.equal(1);
    });

    it("give the data free first, then leave nothing behind", async () => {
      const freed = await aws.cdktf("deploy", UNPROTECTED);
      expect(freed.code, freed.output.slice(-3000)).to.equal(0);
      const { code, output } = await aws.cdktf("destroy", UNPROTECTED);
      expect(code, output.slice(-3000)).to.equal(0);
      expect(Object.values(aws.resources()).flat()).to.deep.equal([]);
      expect(await leftovers(account)).to.deep.equal([]);
    });
  });
});
