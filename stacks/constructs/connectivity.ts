import { DataAwsEc2ManagedPrefixList } from "@cdktf/provider-aws/lib/data-aws-ec2-managed-prefix-list/index.js";
import type { Vpc } from "@cdktf/provider-aws/lib/vpc/index.js";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import type { Config } from "../config.js";
import { PORTS } from "../names.js";
import { Group, type Peer } from "./security-group.js";

const HTTPS = 443;

/** Who may talk to whom (docs/requirements.md): every group and every rule of the VPC, in one place. */
export class Connectivity extends Construct {
  readonly function: Group;
  readonly warehouse: Group;
  readonly endpoints: Group;
  /** Only with `webDb`. */
  readonly webDb: Group | null;
  private readonly config: Config;
  private readonly s3: Peer;

  constructor(
    stack: BaseStack,
    id: string,
    private readonly vpc: Vpc,
  ) {
    super(stack, id);
    this.config = stack.config;
    this.s3 = { prefixListId: this.lookUpS3PrefixList() };
    this.function = this.createGroup("function", this.config.functionSecurityGroupName, "ETL function");
    this.warehouse = this.createGroup("warehouse", this.config.warehouseSecurityGroupName, "Warehouse host");
    const endpointsName = `sg_${this.config.project}_endpoints`;
    this.endpoints = this.createGroup("endpoints", endpointsName, "Interface endpoints of Systems Manager");
    this.webDb = this.config.webDb
      ? this.createGroup("web_db", this.config.webDbSecurityGroupName, "OLTP host")
      : null;
    this.openFunction();
    this.openWarehouse();
    this.openWebDb();
  }

  private createGroup(id: string, name: string, description: string): Group {
    return new Group(this, id, { name, description, vpcId: this.vpc.id });
  }

  private lookUpS3PrefixList(): string {
    const name = `com.amazonaws.${this.config.region}.s3`;
    return new DataAwsEc2ManagedPrefixList(this, "s3_prefix_list", { name }).id;
  }

  private openFunction(): void {
    this.openToAws("function", this.function);
    this.function.allowOut("warehouse", PORTS.postgres, { group: this.warehouse }, "Load into the warehouse");
  }

  private openWarehouse(): void {
    this.openToAws("warehouse", this.warehouse);
    this.warehouse.allowIn("function", PORTS.postgres, { group: this.function }, "The ETL function loads");
    // Shiny listens on loopback, where Session Manager's forwarding ends: no other member ever needs this port.
    this.warehouse.allowIn(
      "shiny",
      PORTS.shiny,
      { group: this.warehouse },
      "Shiny, through Session Manager only",
    );
  }

  private openWebDb(): void {
    if (this.webDb === null) return;
    this.openToAws("web_db", this.webDb);
    this.config.webDbAllowedCidrs.forEach((cidr, index) => {
      this.webDb?.allowIn(`client_${index}`, PORTS.postgres, { cidr }, "A client named in webDbAllowedCidrs");
    });
  }

  /** S3 by its prefix list and Systems Manager by its endpoints: the two ways to AWS, both on 443. */
  private openToAws(id: string, group: Group): void {
    group.allowOut("s3", HTTPS, this.s3, "S3");
    group.allowOut("endpoints", HTTPS, { group: this.endpoints }, "Systems Manager endpoints");
    this.endpoints.allowIn(id, HTTPS, { group }, "Systems Manager");
  }
}
