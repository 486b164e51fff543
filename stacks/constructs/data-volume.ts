import { DlmLifecyclePolicy } from "@cdktf/provider-aws/lib/dlm-lifecycle-policy/index.js";
import { EbsVolume } from "@cdktf/provider-aws/lib/ebs-volume/index.js";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role/index.js";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment/index.js";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import { SNAPSHOTS } from "../names.js";
import { kmsKeyId } from "./customer-key.js";
import { trust } from "./policy.js";

const DLM_MANAGED_POLICY = "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole";

export interface DataVolumeProps {
  /** Name of the host it belongs to. */
  readonly hostName: string;
  readonly sizeGb: number;
}

/** The disk that outlives its host: encrypted, protected, with a snapshot a day. */
export class DataVolume extends Construct {
  readonly volume: EbsVolume;
  readonly snapshots: DlmLifecyclePolicy;

  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly props: DataVolumeProps,
  ) {
    super(stack, id);
    this.volume = this.createVolume();
    this.snapshots = this.createSnapshots(this.createSnapshotRole());
  }

  private createVolume(): EbsVolume {
    const { availabilityZone, protectData } = this.stack.config;
    const { hostName, sizeGb } = this.props;
    return new EbsVolume(this, "volume", {
      availabilityZone,
      type: "gp3",
      size: sizeGb,
      encrypted: true,
      ...kmsKeyId(this.stack),
      tags: { Name: `${hostName}-data`, [SNAPSHOTS.tag]: hostName },
      lifecycle: { preventDestroy: protectData },
    });
  }

  private createSnapshotRole(): IamRole {
    const role = new IamRole(this, "snapshot_role", {
      name: `${this.props.hostName}-snapshots`,
      assumeRolePolicy: trust("dlm.amazonaws.com", this.stack.accountId),
    });
    new IamRolePolicyAttachment(this, "snapshot_policy", { role: role.name, policyArn: DLM_MANAGED_POLICY });
    return role;
  }

  private createSnapshots(role: IamRole): DlmLifecyclePolicy {
    const { hostName } = this.props;
    return new DlmLifecyclePolicy(this, "snapshots", {
      description: `Daily snapshots of the data of ${hostName}`,
      executionRoleArn: role.arn,
      state: "ENABLED",
      policyDetails: {
        resourceTypes: ["VOLUME"],
        targetTags: { [SNAPSHOTS.tag]: hostName },
        schedule: [
          {
            name: "daily",
            createRule: { interval: 24, intervalUnit: "HOURS", times: [SNAPSHOTS.timeUtc] },
            retainRule: { count: this.stack.config.snapshotRetentionDays },
            copyTags: true,
            ...this.copyElsewhere(),
          },
        ],
      },
    });
  }

  /** A region that is lost takes its snapshots along. */
  private copyElsewhere() {
    const { snapshotCopyRegion: target, snapshotRetentionDays } = this.stack.config;
    if (target === null) return {};
    const retainRule = { interval: snapshotRetentionDays, intervalUnit: "DAYS" };
    return { crossRegionCopyRule: [{ target, encrypted: true, copyTags: true, retainRule }] };
  }
}
