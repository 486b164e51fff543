import { DescribeVolumesCommand } from "@aws-sdk/client-ec2";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { expect } from "chai";
import { ACCOUNT_ID, type Account, named, nameOf, only, PRIVATE_SUBNET } from "./account.js";

export function describeWarehouse(account: () => Account): void {
  describe("5.4.3 says of the warehouse:", () => {
    it("SBW_EC2_ShinyDWH in the private subnet, without a public address or a key pair", async () => {
      const instance = only(await account().instances());
      expect(nameOf(instance)).to.equal("SBW_EC2_ShinyDWH");
      expect(instance).to.include({
        SubnetId: (await account().subnet(PRIVATE_SUBNET)).SubnetId,
        PrivateIpAddress: "10.0.128.10",
        InstanceType: "t3.medium",
      });
      expect(instance.PublicIpAddress).to.equal(undefined);
      expect(instance.KeyName).to.equal(undefined);
      expect(instance.MetadataOptions).to.include({ HttpTokens: "required", HttpPutResponseHopLimit: 1 });
    });

    it("an instance profile with AmazonSSMManagedInstanceCore and its own parameters and objects", async () => {
      const { IamInstanceProfile } = only(await account().instances());
      expect(IamInstanceProfile?.Arn).to.equal(
        `arn:aws:iam::${ACCOUNT_ID}:instance-profile/SBW_EC2_ShinyDWH`,
      );
      const role = { RoleName: "SBW_EC2_ShinyDWH-host" };
      const attached = { Action: "ListAttachedRolePolicies", ...role };
      expect(await account().clients.api.query("iam", attached, "PolicyName")).to.deep.equal([
        "AmazonSSMManagedInstanceCore",
      ]);
      const inline = { Action: "ListRolePolicies", ...role };
      expect(await account().clients.api.query("iam", inline, "member")).to.deep.equal([
        "own-parameters-and-objects",
      ]);
    });

    it("encrypted volumes, the data one apart and with daily snapshots", async () => {
      const { Volumes } = await account().clients.ec2.send(new DescribeVolumesCommand());
      expect(Volumes?.map(({ Encrypted, VolumeType }) => ({ Encrypted, VolumeType }))).to.deep.equal([
        { Encrypted: true, VolumeType: "gp3" },
        { Encrypted: true, VolumeType: "gp3" },
      ]);
      const data = named(Volumes, "SBW_EC2_ShinyDWH-data");
      expect(data.Attachments?.map(({ Device }) => Device)).to.deep.equal(["/dev/sdf"]);
      const policy = only([...account().aws.standIn.dlm.values()]);
      const { TargetTags, Schedules } = policy.PolicyDetails as { TargetTags: object[]; Schedules: object[] };
      expect(data.Tags).to.deep.include.members(TargetTags);
      expect(Schedules).to.have.length(1);
      expect(Schedules[0]).to.deep.nested.include({ "CreateRule.Interval": 24, "RetainRule.Count": 7 });
    });

    it("passwords that are in Systems Manager and nowhere on disk", async () => {
      const parameters = await account().parameters();
      const secret = parameters.filter(({ Type }) => Type === "SecureString");
      expect(secret.map(({ Name }) => Name)).to.have.members(
        ["owner", "etl-writer", "dashboard-reader"].map(
          (role) => `/clickstream/production/dwh/${role}-password`,
        ),
      );
      const written = account().aws.writtenText();
      for (const { Name } of secret) {
        const { Parameter } = await account().clients.ssm.send(
          new GetParameterCommand({ Name, WithDecryption: true }),
        );
        expect(Parameter?.Value).to.match(/^\w{40}$/);
        expect(written.includes(Parameter?.Value ?? ""), `${Name} is written to disk`).to.equal(false);
      }
    });

    it("the migrations where its first boot fetches them", async () => {
      const Bucket = `clickstream-production-artifacts-${ACCOUNT_ID}`;
      const { Contents } = await account().clients.s3.send(
        new ListObjectsV2Command({ Bucket, Prefix: "migrations/" }),
      );
      expect(Contents?.map(({ Key }) => Key)).to.include("migrations/0001_events.sql");
    });
  });
}
