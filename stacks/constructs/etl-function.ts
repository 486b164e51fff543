import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group/index.js";
import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function/index.js";
import { LambdaFunctionEventInvokeConfig } from "@cdktf/provider-aws/lib/lambda-function-event-invoke-config/index.js";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue/index.js";
import { AssetType, TerraformAsset } from "cdktf";
import { Construct } from "constructs";
import type { FunctionBundle } from "../../functions/etl/bundle.js";
import { HANDLER, METRICS_NAMESPACE } from "../../functions/etl/contract.js";
import type { BaseStack } from "../base-stack.js";
import { lakeBucketName, PORTS } from "../names.js";
import type { NetworkStack } from "../network-stack.js";
import { kmsKeyId } from "./customer-key.js";
import { EtlRole } from "./etl-role.js";
import type { PostgresHost } from "./postgres-host.js";

const QUEUE_RETENTION_SECONDS = 14 * 24 * 3600; // the longest that SQS keeps a message
const RETRIES = 2;
/** The next scheduled run does the work of one that is older than this. */
const MAX_EVENT_AGE_SECONDS = 3600;

export interface EtlFunctionProps {
  readonly network: NetworkStack;
  readonly warehouse: PostgresHost;
  readonly rawBucketArn: string;
  readonly bundle: FunctionBundle;
}

/** The ETL function in the private subnet, with its log group, its role and the queue of what failed for good. */
export class EtlFunction extends Construct {
  readonly function: LambdaFunction;
  readonly failures: SqsQueue;

  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly props: EtlFunctionProps,
  ) {
    super(stack, id);
    const logGroup = this.createLogGroup();
    this.failures = this.createFailureQueue();
    this.function = this.createFunction(logGroup, this.createRole(logGroup));
    this.queueFailures();
  }

  private createLogGroup(): CloudwatchLogGroup {
    const { functionName, logRetentionDays } = this.stack.config;
    const name = `/aws/lambda/${functionName}`;
    return new CloudwatchLogGroup(this, "log_group", {
      name,
      retentionInDays: logRetentionDays,
      ...kmsKeyId(this.stack),
    });
  }

  private createFailureQueue(): SqsQueue {
    const { functionName, kmsKeyArn } = this.stack.config;
    return new SqsQueue(this, "failures", {
      name: `${functionName}-failures`,
      messageRetentionSeconds: QUEUE_RETENTION_SECONDS,
      ...(kmsKeyArn === null ? { sqsManagedSseEnabled: true } : { kmsMasterKeyId: kmsKeyArn }),
    });
  }

  private createRole(logGroup: CloudwatchLogGroup): EtlRole {
    const { rawBucketArn, warehouse } = this.props;
    const { secrets } = warehouse;
    const parameters = [secrets.password("etl-writer-password"), secrets.certificate];
    return new EtlRole(this.stack, "etl_role", {
      rawBucketArn,
      parameters,
      logGroup,
      failures: this.failures,
    });
  }

  private createFunction(logGroup: CloudwatchLogGroup, { role, policy }: EtlRole): LambdaFunction {
    const { config } = this.stack;
    const { network, bundle } = this.props;
    return new LambdaFunction(this, "function", {
      functionName: config.functionName,
      role: role.arn,
      runtime: "nodejs22.x",
      architectures: ["arm64"],
      handler: HANDLER,
      filename: new TerraformAsset(this, "bundle", { path: bundle.zipPath, type: AssetType.FILE }).path,
      sourceCodeHash: bundle.hash,
      memorySize: config.functionMemoryMb,
      timeout: config.functionTimeoutSeconds,
      vpcConfig: {
        subnetIds: [network.privateSubnet.id],
        securityGroupIds: [network.connectivity.function.id],
      },
      environment: { variables: this.environment() },
      tracingConfig: { mode: config.tracing ? "Active" : "PassThrough" },
      dependsOn: [logGroup, policy],
    });
  }

  /** No secret, and not AWS_REGION: Lambda sets that one itself and refuses a function that brings it. */
  private environment(): Record<string, string> {
    const { config } = this.stack;
    const { address, secrets } = this.props.warehouse;
    return {
      DWH_HOST: address,
      DWH_PORT: String(PORTS.postgres),
      DWH_USER: "etl_writer",
      DWH_PASSWORD_PARAMETER: secrets.password("etl-writer-password").name,
      DWH_DATABASE: config.warehouseDatabase,
      DWH_SSL: "verify-full",
      DWH_SSL_CA_PARAMETER: secrets.certificate.name,
      RAW_BUCKET: config.rawBucket,
      ETL_LOOKBACK_HOURS: String(config.lookbackHours),
      ETL_RECENT_HOURS: String(config.recentHours),
      ETL_RETENTION_DAYS: String(config.retentionDays),
      ETL_REJECT_RETENTION_DAYS: String(config.rejectRetentionDays),
      ETL_RUN_RETENTION_DAYS: String(config.runRetentionDays),
      ETL_DETAILS: String(config.details),
      ETL_KEEP_IP: String(config.keepIp),
      ...(config.lake && { LAKE_BUCKET: lakeBucketName(config, this.stack.accountId) }),
      // For the report of an erasure: when copies that it cannot reach are gone. A bucket made elsewhere has its own rules.
      ...(config.createRawBucket && { RAW_EXPIRATION_DAYS: String(config.rawExpirationDays) }),
      SNAPSHOT_RETENTION_DAYS: String(config.snapshotRetentionDays),
      BACKUP_RETENTION_DAYS: String(config.backupRetentionDays),
      POWERTOOLS_SERVICE_NAME: config.functionName,
      POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
    };
  }

  private queueFailures(): void {
    new LambdaFunctionEventInvokeConfig(this, "on_failure", {
      functionName: this.function.functionName,
      maximumRetryAttempts: RETRIES,
      maximumEventAgeInSeconds: MAX_EVENT_AGE_SECONDS,
      destinationConfig: { onFailure: { destination: this.failures.arn } },
    });
  }
}
