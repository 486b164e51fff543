import { DescribeVpcEndpointsCommand } from "@aws-sdk/client-ec2";
import { expect } from "chai";
import { ACCOUNT_ID, type Account, PRIVATE_SUBNET } from "./account.js";

export function describeEndpoints(account: () => Account): void {
  describe("5.4.2 says of the endpoints:", () => {
    it("a gateway for S3 that leads to three buckets and nowhere else", async () => {
      const s3 = await account().s3Endpoint();
      const { Statement } = JSON.parse(s3.PolicyDocument ?? "{}");
      const resources = Statement.flatMap(({ Resource }: { Resource: string[] }) => Resource);
      const artifacts = `arn:aws:s3:::clickstream-production-artifacts-${ACCOUNT_ID}`;
      expect(resources).to.have.members([
        "arn:aws:s3:::clickstream-s3-ingest",
        "arn:aws:s3:::clickstream-s3-ingest/events/*",
        artifacts,
        `${artifacts}/*`,
        "arn:aws:s3:::al2023-repos-ap-southeast-1-de612dc2/*",
      ]);
    });

    it("private interfaces of Systems Manager in the private subnet, and no others", async () => {
      const { VpcEndpoints } = await account().clients.ec2.send(new DescribeVpcEndpointsCommand());
      const interfaces = (VpcEndpoints ?? []).filter(
        ({ VpcEndpointType }) => VpcEndpointType === "Interface",
      );
      expect(interfaces.map(({ ServiceName }) => ServiceName)).to.have.members([
        "com.amazonaws.ap-southeast-1.ssm",
        "com.amazonaws.ap-southeast-1.ssmmessages",
        "com.amazonaws.ap-southeast-1.ec2messages",
      ]);
      const { SubnetId } = await account().subnet(PRIVATE_SUBNET);
      const { GroupId } = await account().group("sg_clickstream_endpoints");
      for (const { SubnetIds, Groups, PrivateDnsEnabled } of interfaces) {
        expect({ SubnetIds, PrivateDnsEnabled }).to.deep.equal({
          SubnetIds: [SubnetId],
          PrivateDnsEnabled: true,
        });
        expect(Groups?.map((g) => g.GroupId)).to.deep.equal([GroupId]);
      }
    });
  });
}
