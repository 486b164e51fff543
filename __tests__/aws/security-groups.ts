import { DescribeSecurityGroupsCommand, type IpPermission, type SecurityGroup } from "@aws-sdk/client-ec2";
import { expect } from "chai";
import { type Account, only } from "./account.js";

export function describeSecurityGroups(account: () => Account): void {
  describe("5.4.6 says of the security groups:", () => {
    let etl: SecurityGroup;
    let warehouse: SecurityGroup;
    let endpoints: SecurityGroup;

    before(async () => {
      etl = await account().group("sg_Lambda_ETL");
      warehouse = await account().group("sg_analytics_ShinyDWH");
      endpoints = await account().group("sg_clickstream_endpoints");
    });

    it("sg_Lambda_ETL goes out to S3, the warehouse and the endpoints, and lets nobody in", () => {
      expect(peers(etl.IpPermissions)).to.deep.equal([]);
      expect(peers(etl.IpPermissionsEgress)).to.have.members([
        "tcp 443 S3",
        `tcp 443 ${endpoints.GroupId}`,
        `tcp 5432 ${warehouse.GroupId}`,
      ]);
    });

    it("sg_analytics_ShinyDWH takes 5432 from the function, 3838 from itself, and goes out to AWS alone", () => {
      expect(peers(warehouse.IpPermissions)).to.have.members([
        `tcp 5432 ${etl.GroupId}`,
        `tcp 3838 ${warehouse.GroupId}`,
      ]);
      expect(peers(warehouse.IpPermissionsEgress)).to.have.members([
        "tcp 443 S3",
        `tcp 443 ${endpoints.GroupId}`,
      ]);
    });

    it("the endpoints take 443 from these two", () => {
      expect(peers(endpoints.IpPermissions)).to.have.members([
        `tcp 443 ${etl.GroupId}`,
        `tcp 443 ${warehouse.GroupId}`,
      ]);
      expect(peers(endpoints.IpPermissionsEgress)).to.deep.equal([]);
    });

    it("the default group lets nothing in or out", async () => {
      const { VpcId } = await account().vpc();
      const { SecurityGroups } = await account().clients.ec2.send(new DescribeSecurityGroupsCommand());
      const closed = only(SecurityGroups?.filter((g) => g.VpcId === VpcId && g.GroupName === "default"));
      expect([closed.IpPermissions, closed.IpPermissionsEgress]).to.deep.equal([[], []]);
    });

    /** `protocol port peer`, one for each end. */
    function peers(permissions: IpPermission[] | undefined): string[] {
      return (permissions ?? []).flatMap(({ IpProtocol, FromPort, ToPort, ...ends }) => {
        expect(FromPort).to.equal(ToPort);
        const groups = (ends.UserIdGroupPairs ?? []).map(({ GroupId }) => GroupId);
        const lists = (ends.PrefixListIds ?? []).map(() => "S3");
        const networks = (ends.IpRanges ?? []).map(({ CidrIp }) => CidrIp);
        return [...groups, ...lists, ...networks].map((end) => `${IpProtocol} ${FromPort} ${end}`);
      });
    }
  });
}
