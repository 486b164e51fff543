import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy/index.js";
import { SsmDocument } from "@cdktf/provider-aws/lib/ssm-document/index.js";
import { TerraformOutput } from "cdktf";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import { ARTIFACTS, artifactsBucketName, PORTS, sessionDocument, stateKey } from "../names.js";
import { useCustomerKey } from "./customer-key.js";
import { allow, policy, type Statement } from "./policy.js";
import type { PostgresHost } from "./postgres-host.js";

/** Minutes. */
const IDLE_TIMEOUT = 20;

/**
 * How people get in, for an administrator to attach: an analyst to two ports of the warehouse's host and nothing else,
 * an operator to a shell, whose sessions are recorded in the artifacts bucket, and to what the runbook does.
 */
export class Access extends Construct {
  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly host: PostgresHost,
  ) {
    super(stack, id);
    const dashboard = this.createForwarding("dashboard", PORTS.shiny);
    const psql = this.createForwarding("psql", PORTS.postgres);
    const tunnels = [dashboard.arn, psql.arn];
    const analyst = this.createPolicy("analyst", this.analystStatements(tunnels));
    const operator = this.createPolicy(
      "operator",
      this.operatorStatements([...tunnels, this.createShell().arn]),
    );
    new TerraformOutput(stack, "analyst_policy_arn", { value: analyst.arn });
    new TerraformOutput(stack, "operator_policy_arn", { value: operator.arn });
  }

  /** A session that leads to one port. AWS's own document would take any, with whatever listens there. */
  private createForwarding(kind: "dashboard" | "psql", port: number): SsmDocument {
    return this.createDocument(kind, {
      schemaVersion: "1.0",
      description: `Forwards port ${port} of a host, and no other`,
      sessionType: "Port",
      parameters: {
        localPortNumber: {
          type: "String",
          description: "Port on your own machine",
          allowedPattern: "^[0-9]{1,5}$",
        },
      },
      properties: {
        portNumber: String(port),
        type: "LocalPortForwarding",
        localPortNumber: "{{ localPortNumber }}",
      },
    });
  }

  /** https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html */
  private createShell(): SsmDocument {
    return this.createDocument("shell", {
      schemaVersion: "1.0",
      description: "A shell whose sessions are recorded in the artifacts bucket",
      sessionType: "Standard_Stream",
      inputs: {
        s3BucketName: artifactsBucketName(this.stack.config, this.stack.accountId),
        s3KeyPrefix: ARTIFACTS.sessions,
        s3EncryptionEnabled: true,
        cloudWatchLogGroupName: "",
        cloudWatchEncryptionEnabled: false,
        cloudWatchStreamingEnabled: false,
        runAsEnabled: false,
        runAsDefaultUser: "",
        idleSessionTimeout: String(IDLE_TIMEOUT),
        shellProfile: { linux: "" },
      },
    });
  }

  private createDocument(kind: "dashboard" | "psql" | "shell", content: object): SsmDocument {
    return new SsmDocument(this, kind, {
      name: sessionDocument(this.stack.config, kind),
      documentType: "Session",
      documentFormat: "JSON",
      content: JSON.stringify(content),
    });
  }

  private createPolicy(kind: "analyst" | "operator", statements: readonly Statement[]): IamPolicy {
    return new IamPolicy(this, kind, {
      name: `${this.host.name}-${kind}`,
      description: `What ${kind === "analyst" ? "an analyst" : "an operator"} of ${this.host.name} needs`,
      policy: policy(...statements),
    });
  }

  private analystStatements(documents: readonly string[]): Statement[] {
    const { secrets } = this.host;
    const parameters = [secrets.password("analyst-password"), secrets.certificate];
    return [
      ...this.sessionStatements(documents),
      allow("FindTheHost", ["ec2:DescribeInstances", "ssm:DescribeInstanceInformation"], ["*"]),
      allow(
        "ReadAsAnalyst",
        ["ssm:GetParameter"],
        parameters.map(({ arn }) => arn),
      ),
      ...this.stateStatements(["warehouse"]),
    ];
  }

  /** What doctor, tunnel, backfill and the runbook do; deploying is an administrator's. */
  private operatorStatements(documents: readonly string[]): Statement[] {
    const { stack, host } = this;
    const { functionName, ruleName, backfillName, rawBucket, lakeBucket } = stack.config;
    const functionArn = stack.arn("lambda", `function:${functionName}`);
    const bucket = `arn:aws:s3:::${artifactsBucketName(stack.config, stack.accountId)}`;
    return [
      ...this.sessionStatements(documents),
      allow("See", SEEN_BY_DOCTOR, ["*"]),
      allow(
        "ReadRule",
        ["events:DescribeRule", "events:ListTargetsByRule", "events:EnableRule"],
        [stack.arn("events", `rule/${ruleName}`)],
      ),
      allow("RunFunction", ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"], [functionArn]),
      allow(
        "EmptyQueue",
        ["sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:PurgeQueue"],
        [stack.arn("sqs", `${functionName}-failures`)],
      ),
      allow(
        "HearAlarms",
        ["sns:ListSubscriptionsByTopic", "sns:Subscribe"],
        [stack.arn("sns", `${functionName}-alarms`)],
      ),
      allow(
        "UnmuteAlarms",
        ["cloudwatch:EnableAlarmActions"],
        [stack.arn("cloudwatch", `alarm:${functionName}-*`)],
      ),
      allow(
        "ReadLog",
        ["logs:FilterLogEvents", "logs:GetLogEvents", "logs:DescribeLogStreams"],
        [`${stack.arn("logs", `log-group:/aws/lambda/${functionName}`)}:*`],
      ),
      ...this.backfillStatements(backfillName, `${bucket}/${ARTIFACTS.backfills}/*`),
      allow(
        "ListBuckets",
        ["s3:ListBucket"],
        [
          bucket,
          ...[rawBucket, lakeBucket].filter((name) => name !== null).map((name) => `arn:aws:s3:::${name}`),
        ],
      ),
      allow("ReadRawEvents", ["s3:GetObject"], [`arn:aws:s3:::${rawBucket}/events/*`]),
      allow(
        "ReadRecords",
        ["s3:GetObject"],
        [`${bucket}/${ARTIFACTS.journals}/*`, `${bucket}/${ARTIFACTS.sessions}/*`],
      ),
      allow(
        "RestartHost",
        ["ec2:StartInstances", "ec2:StopInstances", "ec2:RebootInstances"],
        [host.instance.arn],
      ),
      allow(
        "UseParameters",
        ["ssm:GetParameter"],
        [...host.secrets.parameters, host.secrets.certificate].map(({ arn }) => arn),
      ),
      allow(
        "ChangePasswords",
        ["ssm:PutParameter"],
        host.secrets.parameters.map(({ arn }) => arn),
      ),
      ...useCustomerKey(stack, "kms:Encrypt"),
      ...this.stateStatements(["warehouse", "scheduler"]),
    ];
  }

  /** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html */
  private backfillStatements(name: string, lists: string): Statement[] {
    const machine = this.stack.arn("states", `stateMachine:${name}`);
    const executions = this.stack.arn("states", `execution:${name}:*`);
    // A Distributed Map's runs carry its label in the machine's place: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-examine-map-run.html
    const mapRuns = this.stack.arn("states", `mapRun:${name}/*`);
    return [
      allow("UseBackfills", ["s3:PutObject", "s3:GetObject"], [lists]),
      allow("StartBackfills", ["states:StartExecution", "states:ListExecutions"], [machine]),
      allow("FollowBackfills", FOLLOWED_BY_BACKFILL, [executions]),
      allow("CountBackfills", ["states:DescribeMapRun"], [mapRuns]),
    ];
  }

  /**
   * https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-specify-session-document.html: without
   * the condition, a session that names no document would get the account's default one, a shell.
   */
  private sessionStatements(documents: readonly string[]): Statement[] {
    return [
      {
        ...allow("StartSessions", ["ssm:StartSession"], [this.host.instance.arn, ...documents]),
        Condition: { BoolIfExists: { "ssm:SessionDocumentAccessCheck": "true" } },
      },
      allow(
        "EndOwnSessions",
        ["ssm:ResumeSession", "ssm:TerminateSession"],
        [this.stack.arn("ssm", "session/$${aws:userid}-*")],
      ),
    ];
  }

  /** The commands find what is deployed in the state, which holds no secret. */
  private stateStatements(stacks: readonly string[]): Statement[] {
    const { config } = this.stack;
    if (config.stateBucket === null) return [];
    const objects = stacks.map((stack) => `arn:aws:s3:::${config.stateBucket}/${stateKey(config, stack)}`);
    return [allow("ReadState", ["s3:GetObject"], objects)];
  }
}

/** Calls that know no resource, by the services' pages of the service authorization reference. */
const SEEN_BY_DOCTOR = [
  "cloudwatch:DescribeAlarms",
  "cloudwatch:GetMetricData",
  "cloudwatch:GetMetricStatistics",
  "ec2:DescribeInstances",
  "ec2:DescribeSnapshots",
  "ec2:DescribeVpcEndpoints",
  "ssm:DescribeInstanceInformation",
];

const FOLLOWED_BY_BACKFILL = ["states:DescribeExecution", "states:ListMapRuns", "states:StopExecution"];
