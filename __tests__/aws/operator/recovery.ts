import { dirname } from "node:path";
import {
  DescribeSnapshotsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
} from "@aws-sdk/client-ec2";
import { expect } from "chai";
import { named, only } from "../../../testing/aws/account.js";
import { setAgent } from "../../../testing/aws/healthy.js";
import type { Operator } from "../../../testing/aws/operator.js";
import { runbookBlocks } from "../../../testing/runbook.js";
import { REPOSITORY, run } from "../../../testing/terraform/terraform.js";

/** `npm run X` of the page, for the state and the output folder of this suite. */
const NPM = `npm() {
  local verb=$2
  shift 2
  [[ \${1:-} != -- ]] || shift
  [[ $verb != deploy ]] || set -- "$@" --auto-approve --skip-provider-lock
  if [[ $verb == synth ]]; then (cd "$REPOSITORY" && cdktf synth --output "$OUT")
  else (cd "$REPOSITORY" && node bin/clickstream.js "$verb" "$@" --output "$OUT"); fi
}`;

/** The runbook's sections on a lost volume and a lost zone, typed as they stand there. */
export function describeRecovery(
  operator: () => Operator,
  settings: Readonly<Record<string, unknown>>,
): void {
  describe("recovery", () => {
    const state = { host: "", old: "", snapshot: "", fresh: "" };

    /** Types a block, with ids in the place of the page's, in the folder above cdktf.out. */
    async function type(block: string, more: object = {}): Promise<string> {
      const { output } = operator().account.aws;
      const ids = block
        .replaceAll("HOST", state.host)
        .replaceAll("vol-OLD", state.old)
        .replaceAll("vol-NEW", state.fresh)
        .replaceAll("snap-…", state.snapshot);
      const env = {
        ...operator().env,
        CDKTF_CONTEXT_JSON: JSON.stringify({ ...settings, ...more }),
        AWS_DEFAULT_REGION: "ap-southeast-1",
        REPOSITORY,
        OUT: output,
      };
      const script = `set -euo pipefail\n${NPM}\n${ids}`;
      const { code, stdout, output: text } = await run("bash", ["-c", script], { cwd: dirname(output), env });
      expect(code, `${ids}\n${text.slice(-3000)}`).to.equal(0);
      return stdout;
    }

    const volumes = async () =>
      (await operator().account.clients.ec2.send(new DescribeVolumesCommand())).Volumes ?? [];
    const attached = async () =>
      only(
        (await volumes()).filter(({ Attachments }) =>
          Attachments?.some(({ Device }) => Device === "/dev/sdf"),
        ),
      );
    /** What a plan of these stacks does to what exists, e.g. `aws_ebs_volume.x replace`. */
    async function losses(more: object = {}): Promise<string[]> {
      const { report } = await operator().account.aws.plan({ ...settings, ...more });
      return report.stacks.flatMap(({ changes }) =>
        changes
          .filter(({ action }) => action === "replace" || action === "destroy")
          .map(({ address, action }) => `${address} ${action}`),
      );
    }

    before(async () => {
      const { account } = operator();
      state.host = only(await account.instances()).InstanceId as string;
      state.old = named(await volumes(), "SBW_EC2_ShinyDWH-data").VolumeId as string;
      const { Snapshots } = await account.clients.ec2.send(
        new DescribeSnapshotsCommand({
          Filters: [{ Name: "tag:DailySnapshot", Values: ["SBW_EC2_ShinyDWH"] }],
        }),
      );
      state.snapshot = only(Snapshots).SnapshotId as string;
    });

    const create = async (block: string): Promise<string> =>
      /"VolumeId": "(vol-\w+)"/.exec(await type(block))?.[1] ?? "";

    it("from a snapshot: another volume takes the place of the lost one, and Terraform keeps it", async () => {
      const [find = "", exchange = "", tell = ""] = runbookBlocks("Restore from a snapshot");
      const answer = await type(find);
      expect(answer).to.include(state.snapshot);
      state.fresh = /"VolumeId": "(vol-\w+)"/.exec(answer)?.[1] ?? "";
      await type(exchange);
      expect((await attached()).VolumeId).to.equal(state.fresh);
      await type(tell);
      expect(await losses()).to.deep.equal([]);
      await type("npm run deploy -- warehouse");
      const volume = await attached();
      expect(volume.VolumeId).to.equal(state.fresh);
      expect(volume.Tags).to.deep.include({ Key: "DailySnapshot", Value: "SBW_EC2_ShinyDWH" });
    });

    it("from a lost zone: all that stood there is rebuilt in another one, on a volume of the snapshot", async () => {
      const zone = { availabilityZone: "ap-southeast-1b" };
      const [clear = "", make = "", tell = ""] = runbookBlocks("A lost zone");
      await type(clear);
      const lost = state.fresh;
      state.fresh = await create(make);
      await type(tell, zone);
      expect(
        (await losses(zone)).filter((loss) => /ebs_volume|s3_bucket|ssm_parameter|iam/.test(loss)),
      ).to.deep.equal([]);
      await type("npm run deploy", zone);

      const { account } = operator();
      const { Subnets = [] } = await account.clients.ec2.send(new DescribeSubnetsCommand());
      const zones = Subnets.filter(({ CidrBlock }) => CidrBlock?.startsWith("10.0.")).map(
        ({ AvailabilityZone }) => AvailabilityZone,
      );
      expect(zones).to.deep.equal(["ap-southeast-1b", "ap-southeast-1b"]);
      const host = only(await account.instances());
      expect(host).to.include({ PrivateIpAddress: "10.0.128.10" });
      expect(host.Placement?.AvailabilityZone).to.equal("ap-southeast-1b");
      const volume = await attached();
      expect(volume).to.include({ VolumeId: state.fresh, SnapshotId: state.snapshot });
      expect((await volumes()).map(({ VolumeId }) => VolumeId)).to.include(lost);
      await setAgent(account, "Online");
      const { code, stdout } = await operator().run("doctor");
      expect(code, stdout).to.equal(0);
    });
  });
}
