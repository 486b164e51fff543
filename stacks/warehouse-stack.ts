import { Eip } from "@cdktf/provider-aws/lib/eip/index.js";
import { EipAssociation } from "@cdktf/provider-aws/lib/eip-association/index.js";
import { type ITerraformDependable, TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import type { Artefacts } from "./artefacts.js";
import { BaseStack } from "./base-stack.js";
import type { Config } from "./config.js";
import { Access } from "./constructs/access.js";
import { tunnelCommands } from "./constructs/commands.js";
import { HardenedBucket } from "./constructs/hardened-bucket.js";
import { PostgresHost } from "./constructs/postgres-host.js";
import type { Group } from "./constructs/security-group.js";
import { Uploads } from "./constructs/uploads.js";
import type { EndpointsStack } from "./endpoints-stack.js";
import { ARTIFACTS, accessLogsBucketName, artifactsBucketName } from "./names.js";
import type { NetworkStack } from "./network-stack.js";

export interface WarehouseStackProps {
  readonly network: NetworkStack;
  /** Deployed before: the host's first boot goes through them. */
  readonly endpoints: EndpointsStack;
  readonly artefacts: Artefacts;
}

/** The artifacts bucket and the host with the warehouse; with `webDb` the OLTP host too. */
export class WarehouseStack extends BaseStack {
  readonly host: PostgresHost;

  constructor(
    scope: Construct,
    config: Config,
    private readonly props: WarehouseStackProps,
  ) {
    super(scope, "warehouse", config);
    this.addDependency(props.endpoints);
    const artifacts = this.createArtifactsBucket(this.createAccessLogs());
    const uploads = new Uploads(this, "uploads", artifacts.bucket, props.artefacts);
    this.host = this.createWarehouse(uploads.objects);
    new Access(this, "access", this.host);
    this.createOutputs(uploads);
    const { webDb } = props.network.connectivity;
    if (webDb !== null) this.createWebDb(webDb, uploads);
  }

  private createArtifactsBucket(accessLogs: HardenedBucket): HardenedBucket {
    const expireDumps = {
      id: "expire-dumps",
      status: "Enabled",
      filter: [{ prefix: `${ARTIFACTS.backups}/` }],
      expiration: [{ days: this.config.backupRetentionDays }],
      noncurrentVersionExpiration: [{ noncurrentDays: 1 }], // or each dump would be paid for 30 days longer
    };
    const expireRecords = (folder: string) => ({
      id: `expire-${folder}`,
      status: "Enabled",
      filter: [{ prefix: `${folder}/` }],
      expiration: [{ days: this.config.logRetentionDays }],
    });
    return new HardenedBucket(this, "artifacts", {
      name: artifactsBucketName(this.config, this.accountId),
      accessLogs: accessLogs.bucket.id,
      lifecycleRules: [
        expireDumps,
        ...[ARTIFACTS.journals, ARTIFACTS.sessions, ARTIFACTS.backfills].map(expireRecords),
        ...(this.config.lake ? [expireRecords(ARTIFACTS.queryResults)] : []),
      ],
    });
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html */
  private createAccessLogs(): HardenedBucket {
    const name = accessLogsBucketName(this.config, this.accountId);
    const expire = {
      id: "expire-access-logs",
      status: "Enabled",
      filter: [{ prefix: "" }],
      expiration: [{ days: this.config.logRetentionDays }],
    };
    return new HardenedBucket(this, "access_logs", {
      name,
      accessLogs: null,
      policyStatements: [
        {
          Sid: "DeliverAccessLogs",
          Effect: "Allow",
          Principal: { Service: "logging.s3.amazonaws.com" },
          Action: ["s3:PutObject"],
          Resource: [`arn:aws:s3:::${name}/*`],
          Condition: { StringEquals: { "aws:SourceAccount": this.accountId } },
        },
      ],
      lifecycleRules: [expire],
    });
  }

  private createWarehouse(after: readonly ITerraformDependable[]): PostgresHost {
    const { config } = this;
    const { privateSubnet, connectivity } = this.props.network;
    return new PostgresHost(this, "dwh", {
      name: config.warehouseName,
      instanceType: config.warehouseInstanceType,
      dataGb: config.warehouseDataGb,
      subnet: privateSubnet,
      group: connectivity.warehouse,
      privateIp: config.warehousePrivateIp,
      database: config.warehouseDatabase,
      roleSet: "warehouse",
      slug: "dwh",
      passwords: ["owner-password", "etl-writer-password", "dashboard-reader-password", "analyst-password"],
      clientCidrs: [config.privateSubnetCidr],
      reads: [ARTIFACTS.migrations, ARTIFACTS.dashboard],
      after,
    });
  }

  /** In the public subnet, for the web shop. Its address stays too, whether the host is replaced or stopped. */
  private createWebDb(group: Group, uploads: Uploads): void {
    const { config } = this;
    const address = new Eip(this, "webdb_address", { domain: "vpc", tags: { Name: config.webDbName } });
    const host = new PostgresHost(this, "webdb", {
      name: config.webDbName,
      instanceType: config.webDbInstanceType,
      dataGb: config.webDbDataGb,
      subnet: this.props.network.publicSubnet,
      group,
      privateIp: config.webDbPrivateIp,
      address: address.publicIp,
      publicAddress: true,
      database: config.webDbDatabase,
      roleSet: "web",
      slug: "webdb",
      passwords: ["owner-password", "web-app-password"],
      clientCidrs: config.webDbAllowedCidrs.length > 0 ? config.webDbAllowedCidrs : [config.publicSubnetCidr],
      reads: [],
      after: [uploads.hostFiles],
    });
    const association = { allocationId: address.id, instanceId: host.instance.id };
    new EipAssociation(this, "webdb_address_association", association);
  }

  private createOutputs(uploads: Uploads): void {
    const outputs = {
      instance_id: this.host.instance.id,
      ...tunnelCommands(this, this.host),
      dashboard: uploads.dashboardStatus,
    };
    for (const [id, value] of Object.entries(outputs)) new TerraformOutput(this, id, { value });
  }
}
