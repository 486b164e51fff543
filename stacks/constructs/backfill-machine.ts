import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group/index.js";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role/index.js";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy/index.js";
import type { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function/index.js";
import { SfnStateMachine } from "@cdktf/provider-aws/lib/sfn-state-machine/index.js";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import { ARTIFACTS, artifactsBucketName } from "../names.js";
import { backfillDefinition } from "./backfill-definition.js";
import { kmsKeyId, useCustomerKey } from "./customer-key.js";
import { allow, policy, type Statement, trust, writeTraces } from "./policy.js";

/** The state machine that loads a window of the past, with its role and its log. Only a person starts it. */
export class BackfillMachine extends Construct {
  readonly machine: SfnStateMachine;

  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly target: LambdaFunction,
  ) {
    super(stack, id);
    const log = this.createLogGroup();
    const role = this.createRole();
    const permissions = this.createPolicy(role);
    this.machine = new SfnStateMachine(this, "machine", {
      name: stack.config.backfillName,
      type: "STANDARD",
      roleArn: role.arn,
      definition: JSON.stringify(backfillDefinition(target.arn)),
      encryptionConfiguration: { type: "AWS_OWNED_KEY" },
      ...(stack.config.tracing && { tracingConfiguration: { enabled: true } }),
      loggingConfiguration: {
        level: "ERROR",
        includeExecutionData: true, // hours and counts, no event
        logDestination: `${log.arn}:*`,
      },
      dependsOn: [permissions],
    });
  }

  /** Under this prefix AWS delivers logs without a resource policy that would grow with each machine. */
  private createLogGroup(): CloudwatchLogGroup {
    const { backfillName, logRetentionDays } = this.stack.config;
    const name = `/aws/vendedlogs/states/${backfillName}`;
    return new CloudwatchLogGroup(this, "log_group", {
      name,
      retentionInDays: logRetentionDays,
      ...kmsKeyId(this.stack),
    });
  }

  private createRole(): IamRole {
    return new IamRole(this, "role", {
      name: this.stack.config.backfillName,
      assumeRolePolicy: trust("states.amazonaws.com", this.stack.accountId),
    });
  }

  private createPolicy(role: IamRole): IamRolePolicy {
    const traces = this.stack.config.tracing ? [writeTraces()] : [];
    const statements = [
      ...this.workStatements(),
      this.deliverLogs(),
      ...useCustomerKey(this.stack),
      ...traces,
    ];
    return new IamRolePolicy(this, "policy", {
      name: "backfill",
      role: role.id,
      policy: policy(...statements),
    });
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html */
  private workStatements(): Statement[] {
    const { config, accountId } = this.stack;
    const machine = this.stack.arn("states", `stateMachine:${config.backfillName}`);
    const executions = this.stack.arn("states", `execution:${config.backfillName}/*`);
    const items = `arn:aws:s3:::${artifactsBucketName(config, accountId)}/${ARTIFACTS.backfills}/*`;
    return [
      allow("RunTheFunction", ["lambda:InvokeFunction"], [this.target.arn]),
      allow("ReadTheHours", ["s3:GetObject"], [items]),
      allow("NoteWhatFailed", ["s3:PutObject"], [`${items.slice(0, -1)}*/failed/*`]),
      allow("StartChildren", ["states:StartExecution"], [machine]),
      allow("FollowChildren", ["states:DescribeExecution", "states:StopExecution"], [executions]),
    ];
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html: these calls know no resource. */
  private deliverLogs(): Statement {
    const delivery = ["Create", "Get", "Update", "Delete", "List"].map(
      (verb) => `logs:${verb}LogDeliver${verb === "List" ? "ies" : "y"}`,
    );
    const policies = ["logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"];
    return allow("DeliverLogs", [...delivery, ...policies], ["*"]);
  }
}
