import { DefaultSecurityGroup } from "@cdktf/provider-aws/lib/default-security-group/index.js";
import { Ec2SubnetCidrReservation } from "@cdktf/provider-aws/lib/ec2-subnet-cidr-reservation/index.js";
import { InternetGateway } from "@cdktf/provider-aws/lib/internet-gateway/index.js";
import { Route } from "@cdktf/provider-aws/lib/route/index.js";
import { RouteTable } from "@cdktf/provider-aws/lib/route-table/index.js";
import { RouteTableAssociation } from "@cdktf/provider-aws/lib/route-table-association/index.js";
import { Subnet } from "@cdktf/provider-aws/lib/subnet/index.js";
import { Vpc } from "@cdktf/provider-aws/lib/vpc/index.js";
import type { Construct } from "constructs";
import { BaseStack } from "./base-stack.js";
import type { Config } from "./config.js";
import { Connectivity } from "./constructs/connectivity.js";
import { FlowLogs } from "./constructs/flow-logs.js";
import { NetworkAcls } from "./constructs/network-acls.js";

/** The VPC, its two subnets, their routes, and who may talk to whom. */
export class NetworkStack extends BaseStack {
  readonly vpc: Vpc;
  readonly publicSubnet: Subnet;
  readonly privateSubnet: Subnet;
  readonly privateRouteTable: RouteTable;
  readonly connectivity: Connectivity;

  constructor(scope: Construct, config: Config) {
    super(scope, "network", config);
    this.vpc = this.createVpc();
    this.closeDefaultGroup();
    this.publicSubnet = this.createSubnet("public_subnet", config.publicSubnetName, config.publicSubnetCidr);
    this.privateSubnet = this.createSubnet(
      "private_subnet",
      config.privateSubnetName,
      config.privateSubnetCidr,
    );
    this.reserve("warehouse_address", this.privateSubnet, config.warehousePrivateIp);
    if (config.webDb) this.reserve("web_db_address", this.publicSubnet, config.webDbPrivateIp);
    this.createPublicRoutes();
    this.privateRouteTable = this.createPrivateRoutes();
    new FlowLogs(this, "flow_logs", this.vpc);
    const { vpc, publicSubnet, privateSubnet } = this;
    new NetworkAcls(this, "acl", { vpc, publicSubnet, privateSubnet });
    this.connectivity = new Connectivity(this, "connectivity", this.vpc);
  }

  private createVpc(): Vpc {
    return new Vpc(this, "vpc", {
      cidrBlock: this.config.vpcCidr,
      enableDnsSupport: true,
      enableDnsHostnames: true,
      tags: { Name: this.config.vpcName },
    });
  }

  /** Adopted without a rule: whatever is started without a group of its own reaches nothing. */
  private closeDefaultGroup(): void {
    const tags = { Name: `${this.config.vpcName}-default-closed` };
    new DefaultSecurityGroup(this, "default_security_group", { vpcId: this.vpc.id, tags });
  }

  private createSubnet(id: string, name: string, cidrBlock: string): Subnet {
    return new Subnet(this, id, {
      vpcId: this.vpc.id,
      cidrBlock,
      availabilityZone: this.config.availabilityZone,
      mapPublicIpOnLaunch: false,
      tags: { Name: name },
    });
  }

  /**
   * A host's fixed address, which AWS would else give to a function or an endpoint while the host is replaced.
   * https://docs.aws.amazon.com/vpc/latest/userguide/subnet-cidr-reservation.html
   */
  private reserve(id: string, subnet: Subnet, address: string): void {
    new Ec2SubnetCidrReservation(this, id, {
      subnetId: subnet.id,
      cidrBlock: `${address}/32`,
      reservationType: "explicit",
    });
  }

  private createPublicRoutes(): void {
    const tags = { Name: this.config.vpcName };
    const gateway = new InternetGateway(this, "internet_gateway", { vpcId: this.vpc.id, tags });
    const table = this.createRouteTable("public", this.publicSubnet);
    new Route(this, "public_default_route", {
      routeTableId: table.id,
      destinationCidrBlock: "0.0.0.0/0",
      gatewayId: gateway.id,
    });
  }

  /** Nothing but `local`; the S3 gateway endpoint adds its prefix list. */
  private createPrivateRoutes(): RouteTable {
    return this.createRouteTable("private", this.privateSubnet);
  }

  private createRouteTable(id: string, subnet: Subnet): RouteTable {
    const tags = { Name: `${this.config.vpcName}-${id}` };
    const table = new RouteTable(this, `${id}_route_table`, { vpcId: this.vpc.id, tags });
    new RouteTableAssociation(this, `${id}_route_table_association`, {
      routeTableId: table.id,
      subnetId: subnet.id,
    });
    return table;
  }
}
