import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DescribeRouteTablesCommand, DescribeSecurityGroupsCommand } from "@aws-sdk/client-ec2";
import { GetFunctionCommand } from "@aws-sdk/client-lambda";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { expect } from "chai";
import { bundleFunction } from "../../functions/etl/bundle.js";
import { ACCOUNT_ID, type Account, PRIVATE_SUBNET } from "../../testing/aws/account.js";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

/** What neither the JSON nor a plan can show: what the provider and AWS make of it. The rest is asserted on the JSON. */
export function describeReadBack(account: () => Account): void {
  describe("read back,", () => {
    it("the private route table has the local route and the S3 endpoint's, and no other", async () => {
      const { SubnetId } = await account().subnet(PRIVATE_SUBNET);
      const filter = { Name: "association.subnet-id", Values: [SubnetId as string] };
      const { RouteTables } = await account().clients.ec2.send(
        new DescribeRouteTablesCommand({ Filters: [filter] }),
      );
      const { VpcEndpointId } = await account().s3Endpoint();
      const targets = RouteTables?.flatMap(({ Routes }) => Routes?.map(({ GatewayId }) => GatewayId));
      expect(targets).to.have.members(["local", VpcEndpointId]);
    });

    it("no security group keeps the rules that AWS gives to a new one", async () => {
      const { VpcId } = await account().vpc();
      const filter = { Name: "vpc-id", Values: [VpcId as string] };
      const { SecurityGroups = [] } = await account().clients.ec2.send(
        new DescribeSecurityGroupsCommand({ Filters: [filter] }),
      );
      expect(SecurityGroups).to.have.length(4);
      for (const { GroupName, IpPermissions = [], IpPermissionsEgress = [] } of SecurityGroups) {
        const rules = [...IpPermissions, ...IpPermissionsEgress];
        expect(rules.map(({ IpProtocol }) => IpProtocol)).to.not.include("-1");
        if (GroupName === "default") expect(rules).to.deep.equal([]);
      }
    });

    it("the passwords are in Systems Manager and nowhere on disk", async () => {
      const parameters = await account().parameters();
      const secret = parameters.filter(({ Type }) => Type === "SecureString");
      expect(secret).to.have.length(4);
      const written = account().aws.writtenText();
      for (const { Name } of secret) {
        const { Parameter } = await account().clients.ssm.send(
          new GetParameterCommand({ Name, WithDecryption: true }),
        );
        expect(Parameter?.Value).to.match(/^\w{40}$/);
        expect(written.includes(Parameter?.Value ?? ""), `${Name} is written to disk`).to.equal(false);
      }
    });

    it("the function is the package that these sources make, and the migrations are these files", async () => {
      const { Configuration } = await account().clients.lambda.send(
        new GetFunctionCommand({ FunctionName: "SBW_Lamda_ETL" }),
      );
      expect(Configuration?.CodeSha256).to.equal(bundleFunction().hash);
      const Bucket = `clickstream-production-artifacts-${ACCOUNT_ID}`;
      const { Body } = await account().clients.s3.send(
        new GetObjectCommand({ Bucket, Key: "migrations/0001_events.sql" }),
      );
      const file = readFileSync(join(REPOSITORY, "etl-lib/src/sql/0001_events.sql"), "utf8");
      expect(await Body?.transformToString()).to.equal(file);
    });
  });
}
