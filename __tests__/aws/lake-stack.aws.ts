import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AthenaClient, GetWorkGroupCommand, ListNamedQueriesCommand } from "@aws-sdk/client-athena";
import { expect } from "chai";
import { SAVED_QUERIES } from "../../stacks/lake-queries.js";
import { type AwsEmulator, startEmulator } from "../../testing/aws/emulator.js";
import { type SynthesizedStack, synthesize } from "../../testing/terraform/synth.js";
import { run } from "../../testing/terraform/terraform.js";

const SETTINGS = { lake: true, stateBucket: null, protectData: false };

describe("the stack of the lake, on an emulator of AWS", function () {
  this.timeout(600_000);
  let aws: AwsEmulator;
  const root = mkdtempSync(join(tmpdir(), "lake-stack-"));
  const folder = join(root, "cdktf.out/stacks/lake"); // its state lies three folders up
  before(async function () {
    aws = await startEmulator(this);
    const { json } = synthesize(SETTINGS).lake as SynthesizedStack;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify(json));
  });
  after(async () => {
    rmSync(root, { recursive: true });
    await aws?.stop();
  });

  const terraform = async (...args: string[]) => {
    const { code, output } = await run("terraform", [...args, "-no-color", "-input=false"], {
      cwd: folder,
      env: aws.environment(SETTINGS),
    });
    return { code, output: output.slice(-3000) };
  };

  it("is applied, and changes nothing when it is planned again: the emulator cannot delete named queries", async () => {
    for (const args of [["init"], ["apply", "-auto-approve"], ["plan", "-detailed-exitcode"]] as const) {
      const { code, output } = await terraform(...args);
      expect(code, `${args.join(" ")}: ${output}`).to.equal(0);
    }
    const athena = new AthenaClient({
      region: aws.region,
      credentials: aws.credentials,
      endpoint: aws.standIn.url,
    });
    const WorkGroup = "clickstream-production-lake";
    const { WorkGroup: made } = await athena.send(new GetWorkGroupCommand({ WorkGroup }));
    expect(made?.Configuration).to.include({ EnforceWorkGroupConfiguration: true });
    const { NamedQueryIds } = await athena.send(new ListNamedQueriesCommand({ WorkGroup }));
    expect(NamedQueryIds).to.have.length(SAVED_QUERIES.length);
  });
});
