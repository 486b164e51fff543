import { DefaultNetworkAcl } from "@cdktf/provider-aws/lib/default-network-acl/index.js";
import { NetworkAcl, type NetworkAclIngress } from "@cdktf/provider-aws/lib/network-acl/index.js";
import type { Subnet } from "@cdktf/provider-aws/lib/subnet/index.js";
import type { Vpc } from "@cdktf/provider-aws/lib/vpc/index.js";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import { PORTS } from "../names.js";

const ANYWHERE = "0.0.0.0/0";
const HTTPS = 443;
/**
 * Where answers come back to, less 3389, which a scanner takes for remote desktop wherever it is open.
 * https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
 */
const EPHEMERAL = [
  [1024, 3388],
  [3390, 65_535],
] as const;

export interface NetworkAclsProps {
  readonly vpc: Vpc;
  readonly publicSubnet: Subnet;
  readonly privateSubnet: Subnet;
}

type Rule = Omit<NetworkAclIngress, "ruleNo" | "action">;

/**
 * A second fence around each subnet, which knows no groups and no state: the VPC within itself, answers from S3, and
 * with `webDb` its clients. The VPC's default list is closed, so a subnet that somebody adds reaches nothing.
 */
export class NetworkAcls extends Construct {
  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly props: NetworkAclsProps,
  ) {
    super(stack, id);
    this.closeDefault();
    const { webDb, webDbAllowedCidrs: clients, vpcCidr } = stack.config;
    const within = [{ protocol: "-1", cidrBlock: vpcCidr, fromPort: 0, toPort: 0 }];
    const out = [...within, tcp(HTTPS, HTTPS, ANYWHERE)];
    const back = [...within, ...ephemeral(ANYWHERE)];
    this.create("private", props.privateSubnet, back, out);
    const [clientsIn, clientsOut] = [
      clients.map((cidr) => tcp(PORTS.postgres, PORTS.postgres, cidr)),
      clients.flatMap(ephemeral),
    ];
    this.create(
      "public",
      props.publicSubnet,
      webDb ? [...back, ...clientsIn] : within,
      webDb ? [...out, ...clientsOut] : within,
    );
  }

  private closeDefault(): void {
    new DefaultNetworkAcl(this, "default", {
      defaultNetworkAclId: this.props.vpc.defaultNetworkAclId,
      tags: { Name: `${this.stack.config.vpcName}-default-closed` },
      lifecycle: { ignoreChanges: ["subnet_ids"] }, // a subnet is here until it is given to a list of its own
    });
  }

  private create(id: string, subnet: Subnet, ingress: readonly Rule[], egress: readonly Rule[]): void {
    const numbered = (rules: readonly Rule[]) =>
      rules.map((rule, index) => ({ ...rule, ruleNo: 100 + 10 * index, action: "allow" }));
    new NetworkAcl(this, id, {
      vpcId: this.props.vpc.id,
      subnetIds: [subnet.id],
      ingress: numbered(ingress),
      egress: numbered(egress),
      tags: { Name: `${this.stack.config.vpcName}-${id}` },
    });
  }
}

const tcp = (fromPort: number, toPort: number, cidrBlock: string): Rule => ({
  protocol: "tcp",
  cidrBlock,
  fromPort,
  toPort,
});

const ephemeral = (cidr: string): Rule[] => EPHEMERAL.map(([from, to]) => tcp(from, to, cidr));
