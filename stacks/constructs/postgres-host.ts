import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js";
import { DataAwsSsmParameter } from "@cdktf/provider-aws/lib/data-aws-ssm-parameter/index.js";
import type { DlmLifecyclePolicy } from "@cdktf/provider-aws/lib/dlm-lifecycle-policy/index.js";
import { Instance } from "@cdktf/provider-aws/lib/instance/index.js";
import type { Subnet } from "@cdktf/provider-aws/lib/subnet/index.js";
import { VolumeAttachment } from "@cdktf/provider-aws/lib/volume-attachment/index.js";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import { type BootstrapProps, renderUserDataTemplate } from "../bootstrap/render.js";
import {
  artifactsBucketName,
  backupsFolder,
  type HostSlug,
  journalsFolder,
  parameterPath,
} from "../names.js";
import { kmsKeyId } from "./customer-key.js";
import { DataVolume } from "./data-volume.js";
import { DatabaseSecrets } from "./database-secrets.js";
import { HostProfile } from "./host-profile.js";
import type { Group } from "./security-group.js";

/** https://docs.aws.amazon.com/linux/al2023/ug/ec2.html: the newest Amazon Linux 2023. */
const IMAGE_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
const ROOT_GB = 16;
const DATA_DEVICE = "/dev/sdf";

export interface PostgresHostProps {
  readonly name: string;
  readonly instanceType: string;
  readonly dataGb: number;
  readonly subnet: Subnet;
  readonly group: Group;
  /** Its address in the subnet: a host that takes its place gets it too. */
  readonly privateIp: string;
  /** What clients connect to, and the server's certificate names. @default privateIp */
  readonly address?: string;
  /** @default false */
  readonly publicAddress?: boolean;
  readonly database: string;
  readonly roleSet: BootstrapProps["roleSet"];
  readonly slug: HostSlug;
  readonly passwords: readonly string[];
  readonly clientCidrs: readonly string[];
  /** Folders of the artifacts bucket that it reads, beside its own files. */
  readonly reads: readonly string[];
  /** What its first boot needs and no attribute refers to. */
  readonly after: readonly ITerraformDependable[];
}

/** A host with PostgreSQL 18 whose data, address and passwords survive its replacement. */
export class PostgresHost extends Construct {
  readonly name: string;
  readonly instance: Instance;
  readonly secrets: DatabaseSecrets;
  readonly address: string;
  /** The policy that makes the data volume's snapshots. */
  readonly snapshots: DlmLifecyclePolicy;
  private readonly parameterPath: string;
  private readonly backups: string;
  private readonly journals: string;

  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly props: PostgresHostProps,
  ) {
    super(stack, id);
    this.name = props.name;
    this.address = props.address ?? props.privateIp;
    this.parameterPath = parameterPath(stack.config, props.slug);
    this.backups = backupsFolder(props.slug);
    this.journals = journalsFolder(props.slug);
    this.secrets = this.createSecrets();
    this.instance = this.createInstance(this.createProfile());
    this.snapshots = this.attachDataVolume();
    this.createRecoveryAlarm();
  }

  private createSecrets(): DatabaseSecrets {
    const { slug, passwords } = this.props;
    return new DatabaseSecrets(this.stack, `${slug}_secrets`, { path: this.parameterPath, passwords });
  }

  private createProfile(): HostProfile {
    const { name, slug, reads } = this.props;
    const { secrets, backups, journals } = this;
    return new HostProfile(this.stack, `${slug}_profile`, {
      hostName: name,
      secrets,
      reads,
      backups,
      journals,
    });
  }

  private createInstance(profile: HostProfile): Instance {
    const { name, instanceType, subnet, group, privateIp, publicAddress, after } = this.props;
    return new Instance(this, "instance", {
      ami: new DataAwsSsmParameter(this, "image", { name: IMAGE_PARAMETER }).insecureValue,
      instanceType,
      subnetId: subnet.id,
      privateIp,
      // Absent in the private subnet, which gives no instance a public address.
      ...(publicAddress ? { associatePublicIpAddress: true } : {}),
      vpcSecurityGroupIds: [group.id],
      iamInstanceProfile: profile.name,
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: { volumeType: "gp3", volumeSize: ROOT_GB, encrypted: true, ...kmsKeyId(this.stack) },
      userData: this.renderUserData(),
      disableApiTermination: this.stack.config.protectData,
      ebsOptimized: true,
      monitoring: this.stack.config.detailedMonitoring,
      tags: { Name: name },
      // A newer image is taken up when the host is replaced on purpose, not the day it appears.
      lifecycle: { ignoreChanges: ["ami"] },
      dependsOn: [...profile.grants, ...this.secrets.parameters, ...after],
    });
  }

  /** Not compressed: gzip's bytes differ from one build of Terraform to another, which would restart the host. */
  private renderUserData(): string {
    const { database, roleSet, clientCidrs } = this.props;
    return renderUserDataTemplate({
      region: this.stack.config.region,
      database,
      roleSet,
      parameterPrefix: this.parameterPath,
      artifactsBucket: artifactsBucketName(this.stack.config, this.stack.accountId),
      clientCidrs,
      address: this.address,
      dataDevice: DATA_DEVICE,
      backupsPrefix: `${this.backups}/`,
      journalsPrefix: `${this.journals}/`,
    });
  }

  private attachDataVolume(): DlmLifecyclePolicy {
    const { name, slug, dataGb } = this.props;
    const data = new DataVolume(this.stack, `${slug}_data`, { hostName: name, sizeGb: dataGb });
    new VolumeAttachment(this, "data_attachment", {
      deviceName: DATA_DEVICE,
      instanceId: this.instance.id,
      volumeId: data.volume.id,
      stopInstanceBeforeDetaching: true, // PostgreSQL shuts down and the file system is unmounted first
    });
    return data.snapshots;
  }

  /** Moves the host to healthy hardware with its id, address and volumes when AWS's own fails. */
  private createRecoveryAlarm(): void {
    new CloudwatchMetricAlarm(this, "recovery_alarm", {
      alarmName: `${this.props.name}-recover`,
      alarmDescription: "The hardware under the host fails its check: move the host to another machine",
      namespace: "AWS/EC2",
      metricName: "StatusCheckFailed_System",
      dimensions: { InstanceId: this.instance.id },
      statistic: "Maximum",
      period: 60,
      evaluationPeriods: 2,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      threshold: 1,
      alarmActions: [`arn:aws:automate:${this.stack.config.region}:ec2:recover`],
    });
  }
}
