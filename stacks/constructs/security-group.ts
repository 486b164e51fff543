import { SecurityGroup } from "@cdktf/provider-aws/lib/security-group/index.js";
import { VpcSecurityGroupEgressRule } from "@cdktf/provider-aws/lib/vpc-security-group-egress-rule/index.js";
import { VpcSecurityGroupIngressRule } from "@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js";
import { Construct } from "constructs";

export interface GroupProps {
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
}

/** The other end of a rule: a group, a managed prefix list or a network. */
export type Peer = { readonly group: Group } | { readonly prefixListId: string } | { readonly cidr: string };

/** A security group that starts closed in both directions; every TCP port opened is a rule resource of its own. */
export class Group extends Construct {
  readonly id: string;

  constructor(scope: Construct, id: string, props: GroupProps) {
    super(scope, id);
    const { name, description, vpcId } = props;
    this.id = new SecurityGroup(this, "group", { name, description, vpcId, tags: { Name: name } }).id;
  }

  /** Lets `peer` in on one TCP port. */
  allowIn(id: string, port: number, peer: Peer, description: string): void {
    new VpcSecurityGroupIngressRule(this, `in_${id}`, this.rule(port, peer, description));
  }

  /** Lets members of this group out to `peer` on one TCP port. */
  allowOut(id: string, port: number, peer: Peer, description: string): void {
    new VpcSecurityGroupEgressRule(this, `out_${id}`, this.rule(port, peer, description));
  }

  private rule(port: number, peer: Peer, description: string) {
    const end =
      "group" in peer
        ? { referencedSecurityGroupId: peer.group.id }
        : "cidr" in peer
          ? { cidrIpv4: peer.cidr }
          : { prefixListId: peer.prefixListId };
    return { securityGroupId: this.id, ipProtocol: "tcp", fromPort: port, toPort: port, description, ...end };
  }
}
