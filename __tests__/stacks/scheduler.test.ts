import aslValidator from "asl-validator";
import { expect } from "chai";
import {
  HANDLER,
  HOST_METRICS,
  METRICS,
  METRICS_DIMENSION,
  METRICS_NAMESPACE,
} from "../../functions/etl/contract.js";
import {
  type Attributes,
  crossStackRef,
  ref,
  type SynthesizedStack,
  synthesize,
} from "../../testing/terraform/synth.js";

const password = "aws_ssm_parameter_dwh_secrets_etl_writer_password";
const certificate = "aws_ssm_parameter_dwh_secrets_certificate";
const FUNCTION = ref("aws_lambda_function.etl_function.arn");

function statements(stack: SynthesizedStack, role = "etl_role_policy"): Attributes[] {
  return JSON.parse(stack.resource("aws_iam_role_policy", role).policy as string).Statement;
}

describe("scheduler stack", () => {
  const { scheduler } = synthesize();

  it("runs the function in the private subnet on nodejs22.x and arm64", () => {
    expect(scheduler.resource("aws_lambda_function")).to.deep.include({
      function_name: "SBW_Lamda_ETL",
      runtime: "nodejs22.x",
      architectures: ["arm64"],
      handler: HANDLER,
      memory_size: 1024,
      timeout: 600,
      vpc_config: {
        subnet_ids: [crossStackRef("network", "aws_subnet_private_subnet_id")],
        security_group_ids: [crossStackRef("network", "aws_security_group_connectivity_function_group_id")],
      },
      tracing_config: { mode: "PassThrough" },
      depends_on: ["aws_cloudwatch_log_group.etl_log_group", "aws_iam_role_policy.etl_role_policy"],
    });
  });

  it("gives it the environment of the design, all of it", () => {
    const { variables } = scheduler.resource("aws_lambda_function").environment as Attributes;
    expect(variables).to.deep.equal({
      DWH_HOST: "10.0.128.10",
      DWH_PORT: "5432",
      DWH_USER: "etl_writer",
      DWH_PASSWORD_PARAMETER: crossStackRef("warehouse", `${password}_name`),
      DWH_DATABASE: "clickstream_dw",
      DWH_SSL: "verify-full",
      DWH_SSL_CA_PARAMETER: crossStackRef("warehouse", `${certificate}_name`),
      RAW_BUCKET: "clickstream-s3-ingest",
      ETL_LOOKBACK_HOURS: "72",
      ETL_RECENT_HOURS: "2",
      ETL_RETENTION_DAYS: "0",
      ETL_REJECT_RETENTION_DAYS: "0",
      ETL_RUN_RETENTION_DAYS: "0",
      ETL_DETAILS: "true",
      ETL_KEEP_IP: "false",
      SNAPSHOT_RETENTION_DAYS: "7",
      BACKUP_RETENTION_DAYS: "30",
      POWERTOOLS_SERVICE_NAME: "SBW_Lamda_ETL",
      POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
    });
  });

  it("lets it read events and its parameters, write its log, queue a failure, use the network, and no more", () => {
    const raw = ref("data.aws_s3_bucket.the_raw_bucket_has_to_exist_or_set_createRawBucket_to_true.arn");
    const account = ref("data.aws_caller_identity.account.account_id");
    const allowed = statements(scheduler)
      .filter(({ Effect }) => Effect === "Allow")
      .map(({ Action, Resource, Condition }) => ({ Action, Resource, Condition }));
    expect(allowed).to.deep.equal([
      { Action: ["s3:GetObject"], Resource: [`${raw}/events/*`], Condition: undefined },
      {
        Action: ["s3:ListBucket"],
        Resource: [raw],
        Condition: { StringLike: { "s3:prefix": ["events/*"] } },
      },
      {
        Action: ["ssm:GetParameter"],
        Resource: [password, certificate].flatMap((name) => {
          const arn = crossStackRef("warehouse", `${name}_arn`);
          return [arn, `${arn}:*`];
        }),
        Condition: undefined,
      },
      {
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: [`${ref("aws_cloudwatch_log_group.etl_log_group.arn")}:*`],
        Condition: undefined,
      },
      {
        Action: ["sqs:SendMessage"],
        Resource: [ref("aws_sqs_queue.etl_failures.arn")],
        Condition: undefined,
      },
      {
        Action: ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
        Resource: ["*"],
        Condition: undefined,
      },
      {
        Action: [
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:AssignPrivateIpAddresses",
          "ec2:UnassignPrivateIpAddresses",
        ],
        Resource: [`arn:aws:ec2:ap-southeast-1:${account}:*/*`],
        Condition: undefined,
      },
    ]);
  });

  it("denies the network calls to the function's own code", () => {
    const denied = statements(scheduler).filter(({ Effect }) => Effect === "Deny");
    expect(denied).to.have.length(1);
    expect(denied[0]?.Condition).to.have.nested.property("ArnEquals.lambda:SourceFunctionArn");
  });

  it("runs it every hour by a rule that alone may do so", () => {
    expect(scheduler.resource("aws_cloudwatch_event_rule")).to.include({
      name: "SBW_ETL_HOURLY_RULE",
      schedule_expression: "rate(1 hour)",
    });
    expect(scheduler.resource("aws_cloudwatch_event_target")).to.include({
      rule: ref("aws_cloudwatch_event_rule.hourly_rule.name"),
      arn: FUNCTION,
    });
    expect(scheduler.resource("aws_lambda_permission")).to.include({
      action: "lambda:InvokeFunction",
      principal: "events.amazonaws.com",
      source_arn: ref("aws_cloudwatch_event_rule.hourly_rule.arn"),
    });
  });

  describe("the machine for backfills", () => {
    const machine = scheduler.resource("aws_sfn_state_machine");
    const account = ref("data.aws_caller_identity.account.account_id");
    const states = `arn:aws:states:ap-southeast-1:${account}`;

    it("is a Standard one, encrypted, with its log", () => {
      expect(machine).to.deep.include({
        name: "SBW_ETL_BACKFILL",
        type: "STANDARD",
        encryption_configuration: { type: "AWS_OWNED_KEY" },
        logging_configuration: {
          level: "ERROR",
          include_execution_data: true,
          log_destination: `${ref("aws_cloudwatch_log_group.backfill_log_group.arn")}:*`,
        },
      });
    });

    it("is written in Amazon States Language", () => {
      const { isValid, errorsText } = aslValidator(JSON.parse(machine.definition as string));
      expect(isValid, errorsText()).to.equal(true);
    });

    it("may run the function, read the hours, note what failed, start and follow its children, deliver its log, and no more", () => {
      const allowed = statements(scheduler, "backfill_policy").map(({ Action, Resource }) => [
        Action,
        Resource,
      ]);
      expect(allowed.slice(0, 5)).to.deep.equal([
        [["lambda:InvokeFunction"], [FUNCTION]],
        [["s3:GetObject"], [`arn:aws:s3:::clickstream-production-artifacts-${account}/backfills/*`]],
        [["s3:PutObject"], [`arn:aws:s3:::clickstream-production-artifacts-${account}/backfills/*/failed/*`]],
        [["states:StartExecution"], [`${states}:stateMachine:SBW_ETL_BACKFILL`]],
        [["states:DescribeExecution", "states:StopExecution"], [`${states}:execution:SBW_ETL_BACKFILL/*`]],
      ]);
      expect(allowed.slice(5).flatMap(([actions]) => actions as string[])).to.satisfy((actions: string[]) =>
        actions.every((action) => action.startsWith("logs:")),
      );
    });
  });

  it("tries a failed run twice more, then queues it", () => {
    expect(scheduler.resource("aws_lambda_function_event_invoke_config")).to.deep.include({
      maximum_retry_attempts: 2,
      destination_config: { on_failure: { destination: ref("aws_sqs_queue.etl_failures.arn") } },
    });
  });

  it("raises its alarms, each to the topic, on metrics that AWS or the function emits", () => {
    const alarms = scheduler.resources("aws_cloudwatch_metric_alarm").map(([id, alarm]) => {
      expect(alarm.alarm_actions, id).to.deep.equal([ref("aws_sns_topic.alarm_topic.arn")]);
      const { namespace, metric_name, metric_query, comparison_operator, threshold, treat_missing_data } =
        alarm;
      const watched = metric_query === undefined ? `${namespace} ${metric_name}` : "expression";
      return [id, `${watched} ${comparison_operator} ${threshold}, missing: ${treat_missing_data}`];
    });
    expect(Object.fromEntries(alarms)).to.deep.equal({
      alarm_errors: "AWS/Lambda Errors GreaterThanThreshold 0, missing: notBreaching",
      alarm_failures_queued:
        "AWS/SQS ApproximateNumberOfMessagesVisible GreaterThanThreshold 0, missing: notBreaching",
      alarm_no_load: `expression LessThanThreshold 1, missing: breaching`,
      alarm_rollups_stale: `${METRICS_NAMESPACE} ${METRICS.rollupsStale} GreaterThanThreshold 0, missing: notBreaching`,
      alarm_rejects: `${METRICS_NAMESPACE} ${METRICS.rejectShare} GreaterThanThreshold 5, missing: notBreaching`,
      alarm_sweep_overdue: `${METRICS_NAMESPACE} ${METRICS.sweepAge} GreaterThanThreshold 108000, missing: notBreaching`,
      alarm_unpruned: `${METRICS_NAMESPACE} ${METRICS.pruneFailed} GreaterThanThreshold 0, missing: notBreaching`,
      alarm_alerts_raised: `${METRICS_NAMESPACE} ${METRICS.alertsRaised} GreaterThanThreshold 0, missing: notBreaching`,
      alarm_alerts_failed: `${METRICS_NAMESPACE} ${METRICS.alertsFailed} GreaterThanThreshold 0, missing: notBreaching`,
      alarm_ledger_unsealed: `${METRICS_NAMESPACE} ${METRICS.ledgerSealFailed} GreaterThanThreshold 0, missing: notBreaching`,
      alarm_backfill_failed: "AWS/States ExecutionsFailed GreaterThanThreshold 0, missing: notBreaching",
      alarm_duration: "AWS/Lambda Duration GreaterThanThreshold 540000, missing: notBreaching",
      alarm_host_check: "AWS/EC2 StatusCheckFailed_Instance GreaterThanThreshold 0, missing: notBreaching",
      alarm_host_silent: `${METRICS_NAMESPACE} ${HOST_METRICS.stateAge} GreaterThanThreshold 1800, missing: notBreaching`,
      alarm_host_data_disk: `${METRICS_NAMESPACE} ${HOST_METRICS.dataUsed} GreaterThanThreshold 80, missing: notBreaching`,
      alarm_host_root_disk: `${METRICS_NAMESPACE} ${HOST_METRICS.rootUsed} GreaterThanThreshold 90, missing: notBreaching`,
      alarm_host_memory: `${METRICS_NAMESPACE} ${HOST_METRICS.memoryUsed} GreaterThanThreshold 95, missing: notBreaching`,
      alarm_host_connections: `${METRICS_NAMESPACE} ${HOST_METRICS.connectionsUsed} GreaterThanThreshold 80, missing: notBreaching`,
      alarm_host_units: `${METRICS_NAMESPACE} ${HOST_METRICS.failedUnits} GreaterThanThreshold 0, missing: notBreaching`,
      alarm_host_backup: `${METRICS_NAMESPACE} ${HOST_METRICS.backupAge} GreaterThanThreshold 108000, missing: notBreaching`,
      alarm_host_bloat: `${METRICS_NAMESPACE} ${HOST_METRICS.deadRows} GreaterThanThreshold 50, missing: notBreaching`,
      alarm_host_certificate: `${METRICS_NAMESPACE} ${HOST_METRICS.certificateLeft} LessThanThreshold 20, missing: notBreaching`,
      alarm_host_snapshots: "AWS/EBS SnapshotsCreateFailed GreaterThanThreshold 0, missing: notBreaching",
      alarm_host_credits: "AWS/EC2 CPUCreditBalance LessThanThreshold 20, missing: notBreaching",
    });
  });

  it("counts an hour without any run as one without a run that succeeded", () => {
    const alarm = scheduler.resource("aws_cloudwatch_metric_alarm", "alarm_no_load");
    expect(alarm).to.deep.include({
      evaluation_periods: 3,
      metric_query: [
        {
          id: "counted",
          metric: {
            namespace: METRICS_NAMESPACE,
            metric_name: METRICS.runSucceeded,
            dimensions: { [METRICS_DIMENSION]: "SBW_Lamda_ETL" },
            stat: "Sum",
            period: 3600,
          },
        },
        { id: "filled", expression: "FILL(counted, 0)", label: METRICS.runSucceeded, return_data: true },
      ],
    });
    expect(alarm).to.not.have.any.keys("metric_name", "namespace", "period");
  });

  it("lets the function decrypt a raw bucket under a customer key, and only with one", () => {
    const rawBucketKmsKeyArn = "arn:aws:kms:ap-southeast-1:111122223333:key/0f1e2d3c";
    const statements = (stack: SynthesizedStack) =>
      JSON.parse(stack.resource("aws_iam_role_policy", "etl_role_policy").policy as string).Statement;
    expect(statements(synthesize({ rawBucketKmsKeyArn }).scheduler)).to.deep.include({
      Sid: "DecryptRawEvents",
      Effect: "Allow",
      Action: ["kms:Decrypt"],
      Resource: [rawBucketKmsKeyArn],
    });
    expect(JSON.stringify(statements(scheduler))).to.not.include("kms:");
  });

  it("tells an operator by e-mail once there is an address", () => {
    expect(scheduler.resources("aws_sns_topic_subscription")).to.deep.equal([]);
    const told = synthesize({ alarmEmail: "data@example.com" }).scheduler;
    expect(told.resource("aws_sns_topic_subscription")).to.include({
      protocol: "email",
      endpoint: "data@example.com",
    });
  });

  it("traces with X-Ray only when asked to", () => {
    const traced = synthesize({ tracing: true }).scheduler;
    expect(traced.resource("aws_lambda_function").tracing_config).to.deep.equal({ mode: "Active" });
    expect(traced.resource("aws_sfn_state_machine").tracing_configuration).to.deep.equal({ enabled: true });
    expect(scheduler.resource("aws_sfn_state_machine")).to.not.have.property("tracing_configuration");
    for (const role of ["etl_role_policy", "backfill_policy"]) {
      const sids = (stack: SynthesizedStack) => statements(stack, role).map(({ Sid }) => Sid);
      expect(sids(traced), role).to.include("WriteTraces");
      expect(sids(scheduler), role).to.not.include("WriteTraces");
    }
  });

  it("looks the raw bucket up under a name that says what to do when it is not there", () => {
    expect(scheduler.resources("aws_s3_bucket")).to.deep.equal([]);
    expect(scheduler.json.data?.aws_s3_bucket).to.have.all.keys(
      "the_raw_bucket_has_to_exist_or_set_createRawBucket_to_true",
    );
  });

  it("makes the raw bucket with createRawBucket, with the lifecycle of the configuration", () => {
    const made = synthesize({
      createRawBucket: true,
      rawInfrequentAccessDays: 60,
      rawExpirationDays: 400,
    }).scheduler;
    expect(made.json.data).to.not.have.property("aws_s3_bucket");
    expect(made.resource("aws_s3_bucket").bucket).to.equal("clickstream-s3-ingest");
    const rules = made.resource("aws_s3_bucket_lifecycle_configuration").rule as Attributes[];
    expect(rules.slice(1)).to.deep.equal([
      {
        id: "infrequent-access",
        status: "Enabled",
        filter: [{ prefix: "events/" }],
        transition: [{ days: 60, storage_class: "STANDARD_IA" }],
      },
      { id: "expire", status: "Enabled", filter: [{ prefix: "events/" }], expiration: [{ days: 400 }] },
    ]);
  });
});
