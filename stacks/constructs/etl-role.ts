import type { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group/index.js";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role/index.js";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy/index.js";
import type { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue/index.js";
import type { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter/index.js";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import { ARTIFACTS, LAKE_ACTIONS, lakeBucketName } from "../names.js";
import { useCustomerKey } from "./customer-key.js";
import { allow, policy, type Statement, trust, writeTraces } from "./policy.js";

export interface EtlRoleProps {
  readonly rawBucketArn: string;
  readonly parameters: readonly SsmParameter[];
  readonly logGroup: CloudwatchLogGroup;
  readonly failures: SqsQueue;
}

/** What the ETL function may do, and nothing more. */
export class EtlRole extends Construct {
  readonly role: IamRole;
  /** Has to be there before the function, whose creation AWS refuses without the network-interface calls. */
  readonly policy: IamRolePolicy;

  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly props: EtlRoleProps,
  ) {
    super(stack, id);
    const { functionName } = stack.config;
    this.role = new IamRole(this, "role", {
      name: functionName,
      assumeRolePolicy: trust("lambda.amazonaws.com"),
    });
    this.policy = new IamRolePolicy(this, "policy", {
      name: "etl",
      role: this.role.id,
      policy: policy(...this.dataStatements(), ...this.networkStatements(), ...this.traceStatements()),
    });
  }

  private dataStatements(): Statement[] {
    const { rawBucketArn, parameters, logGroup, failures } = this.props;
    const rawKey = this.stack.config.rawBucketKmsKeyArn;
    return [
      ...useCustomerKey(this.stack),
      ...(rawKey === null ? [] : [allow("DecryptRawEvents", ["kms:Decrypt"], [rawKey])]),
      allow("ReadRawEvents", ["s3:GetObject"], [`${rawBucketArn}/events/*`]),
      {
        ...allow("ListRawEvents", ["s3:ListBucket"], [rawBucketArn]),
        Condition: { StringLike: { "s3:prefix": ["events/*"] } },
      },
      allow(
        "ReadOwnParameters",
        ["ssm:GetParameter"],
        // `NAME:VERSION` too: the password before the newest holds until the host has taken that up.
        parameters.flatMap(({ arn }) => [arn, `${arn}:*`]),
      ),
      ...this.lakeStatements(),
      allow("WriteOwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [`${logGroup.arn}:*`]),
      allow("QueueFailures", ["sqs:SendMessage"], [failures.arn]),
    ];
  }

  /** Its own files: written beside their place, read back, copied into it. */
  private lakeStatements(): Statement[] {
    const { config, accountId } = this.stack;
    if (!config.lake) return [];
    const files = `arn:aws:s3:::${lakeBucketName(config, accountId)}/${ARTIFACTS.lake}/*`;
    return [allow("WriteLake", LAKE_ACTIONS, [files])];
  }

  /**
   * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: the Describe calls know no resource, the
   * others want every one of the region. Lambda makes these calls, the function's own code is denied them.
   */
  private networkStatements(): Statement[] {
    const describe = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"];
    const change = [
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
    ];
    const functionArn = this.stack.arn("lambda", `function:${this.stack.config.functionName}`);
    return [
      allow("SeeNetworkInterfaces", describe, ["*"]),
      allow("ManageNetworkInterfaces", change, [this.stack.arn("ec2", "*/*")]),
      {
        Sid: "NotFromTheFunctionsCode",
        Effect: "Deny",
        Action: [...describe, ...change],
        Resource: ["*"],
        Condition: { ArnEquals: { "lambda:SourceFunctionArn": functionArn } },
      },
    ];
  }

  private traceStatements(): Statement[] {
    if (!this.stack.config.tracing) return [];
    return [writeTraces()];
  }
}
