import {
  DescribeFlowLogsCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
  DescribeVpcAttributeCommand,
  type RouteTable,
  type Subnet,
} from "@aws-sdk/client-ec2";
import { expect } from "chai";
import { type Account, named, nameOf, only, PRIVATE_SUBNET, PUBLIC_SUBNET } from "./account.js";

export function describeNetwork(account: () => Account): void {
  describe("5.4.1 says of the network:", () => {
    let subnets: Subnet[];
    let tables: RouteTable[];

    before(async () => {
      subnets = (await account().clients.ec2.send(new DescribeSubnetsCommand())).Subnets ?? [];
      tables = (await account().clients.ec2.send(new DescribeRouteTablesCommand())).RouteTables ?? [];
    });

    it("the VPC with DNS", async () => {
      const vpc = await account().vpc();
      expect(vpc.CidrBlock).to.equal("10.0.0.0/16");
      for (const Attribute of ["enableDnsSupport", "enableDnsHostnames"] as const) {
        const answer = await account().clients.ec2.send(
          new DescribeVpcAttributeCommand({ VpcId: vpc.VpcId, Attribute }),
        );
        expect((answer.EnableDnsSupport ?? answer.EnableDnsHostnames)?.Value, Attribute).to.equal(true);
      }
    });

    it("one public and one private subnet, neither of which hands out public addresses", () => {
      const own = subnets.filter((subnet) => nameOf(subnet)?.startsWith("SBW_Project"));
      const facts = own.map((subnet) => [nameOf(subnet), subnet.CidrBlock, subnet.AvailabilityZone]);
      expect(facts).to.have.deep.members([
        [PUBLIC_SUBNET, "10.0.0.0/20", "ap-southeast-1a"],
        [PRIVATE_SUBNET, "10.0.128.0/20", "ap-southeast-1a"],
      ]);
      expect(own.map(({ MapPublicIpOnLaunch }) => MapPublicIpOnLaunch)).to.deep.equal([false, false]);
    });

    it("a public route table to the internet gateway", async () => {
      const { InternetGateways } = await account().clients.ec2.send(new DescribeInternetGatewaysCommand());
      const gateway = named(InternetGateways, "SBW_Project_VPC");
      expect(routes(tableOf(PUBLIC_SUBNET))).to.have.deep.members([
        ["10.0.0.0/16", "local"],
        ["0.0.0.0/0", gateway.InternetGatewayId],
      ]);
    });

    it("a private route table with local and the S3 prefix list, and no way out", async () => {
      const table = tableOf(PRIVATE_SUBNET);
      const s3 = await account().s3Endpoint();
      expect(s3.RouteTableIds).to.deep.equal([table.RouteTableId]);
      const [local, ...others] = routes(table);
      expect(local).to.deep.equal(["10.0.0.0/16", "local"]);
      expect(others.map(([, target]) => target)).to.deep.equal([s3.VpcEndpointId]);
      const { NatGateways } = await account().clients.ec2.send(new DescribeNatGatewaysCommand());
      expect(NatGateways ?? []).to.deep.equal([]);
    });

    it("flow logs of all traffic, in a log group that forgets", async () => {
      const { FlowLogs } = await account().clients.ec2.send(new DescribeFlowLogsCommand());
      expect(only(FlowLogs)).to.include({ TrafficType: "ALL", ResourceId: (await account().vpc()).VpcId });
      const groups = await account().clients.api.logGroups();
      expect(
        groups.map(({ logGroupName, retentionInDays }) => [logGroupName, retentionInDays]),
      ).to.have.deep.members([
        ["/clickstream/production/vpc-flow-logs", 30],
        ["/aws/lambda/SBW_Lamda_ETL", 30],
      ]);
    });

    function tableOf(subnetName: string): RouteTable {
      const { SubnetId } = named(subnets, subnetName);
      return only(tables.filter(({ Associations }) => Associations?.some((a) => a.SubnetId === SubnetId)));
    }

    function routes({ Routes }: RouteTable): [string | undefined, string | undefined][] {
      return (Routes ?? []).map((route) => [
        route.DestinationCidrBlock ?? route.DestinationPrefixListId,
        route.GatewayId,
      ]);
    }
  });
}
