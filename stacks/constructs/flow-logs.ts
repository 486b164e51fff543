import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group/index.js";
import { FlowLog } from "@cdktf/provider-aws/lib/flow-log/index.js";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role/index.js";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy/index.js";
import type { Vpc } from "@cdktf/provider-aws/lib/vpc/index.js";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import { kmsKeyId } from "./customer-key.js";
import { allow, policy, trust } from "./policy.js";

/** All traffic of a VPC, accepted and rejected, in a log group of its own. */
export class FlowLogs extends Construct {
  constructor(
    private readonly stack: BaseStack,
    id: string,
    vpc: Vpc,
  ) {
    super(stack, id);
    const group = this.createLogGroup();
    const role = this.createRole(group);
    new FlowLog(this, "flow_log", {
      vpcId: vpc.id,
      trafficType: "ALL",
      logDestination: group.arn,
      iamRoleArn: role.arn,
      tags: { Name: this.stack.config.vpcName },
    });
  }

  private createLogGroup(): CloudwatchLogGroup {
    const { project, environment, logRetentionDays } = this.stack.config;
    return new CloudwatchLogGroup(this, "log_group", {
      name: `/${project}/${environment}/vpc-flow-logs`,
      retentionInDays: logRetentionDays,
      ...kmsKeyId(this.stack),
    });
  }

  /** Without logs:CreateLogGroup: a late flow log must not bring the group back after a destroy. */
  private createRole(group: CloudwatchLogGroup): IamRole {
    const role = new IamRole(this, "role", {
      name: `${this.stack.config.vpcName}-flow-logs`,
      assumeRolePolicy: trust("vpc-flow-logs.amazonaws.com", this.stack.accountId),
    });
    const actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"];
    new IamRolePolicy(this, "role_policy", {
      name: "write-flow-logs",
      role: role.id,
      policy: policy(allow("WriteFlowLogs", actions, [`${group.arn}:*`])),
    });
    return role;
  }
}
