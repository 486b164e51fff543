import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js";
import type { SfnStateMachine } from "@cdktf/provider-aws/lib/sfn-state-machine/index.js";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic/index.js";
import { SnsTopicSubscription } from "@cdktf/provider-aws/lib/sns-topic-subscription/index.js";
import type { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue/index.js";
import { Construct } from "constructs";
import {
  HOST_LIMITS,
  HOST_METRICS,
  METRICS,
  METRICS_DIMENSION,
  METRICS_NAMESPACE,
  SWEEP_OVERDUE_HOURS,
} from "../../functions/etl/contract.js";
import type { BaseStack } from "../base-stack.js";
import { isBurstable } from "../names.js";
import type { PostgresHost } from "./postgres-host.js";

const HOUR = 3600;

interface Alarm {
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: { readonly [name: string]: string };
  readonly statistic: "Sum" | "Maximum";
  /** Seconds. */
  readonly period: number;
  /** @default 1 */
  readonly periods?: number;
  /** Raised when the metric lies above, or below, this. */
  readonly above?: number;
  readonly below?: number;
  /**
   * An hour without a data point counts as zero. Otherwise CloudWatch looks further back for older ones, and stays quiet:
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
   */
  readonly fillWithZero?: boolean;
  /** No data point means that nothing is wrong. @default true with `above`, false with `below` */
  readonly silenceIsFine?: boolean;
}

/** What wakes an operator, all of it to one topic. */
export class EtlAlarms extends Construct {
  readonly topic: SnsTopic;

  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly failures: SqsQueue,
    private readonly host: PostgresHost,
    private readonly backfill: SfnStateMachine,
  ) {
    super(stack, id);
    this.topic = this.createTopic();
    this.createAlarm("errors", this.errors());
    this.createAlarm("failures_queued", this.failuresQueued());
    this.createAlarm("no_load", this.noLoad());
    this.createAlarm("rejects", this.rejects());
    this.createAlarm("rollups_stale", this.rollupsStale());
    this.createAlarm("sweep_overdue", this.sweepOverdue());
    this.createAlarm("ledger_unsealed", this.ledgerUnsealed());
    this.createAlarm("unpruned", this.unpruned());
    this.createAlarm("alerts_raised", this.alertsRaised());
    this.createAlarm("alerts_failed", this.alertsFailed());
    if (stack.config.lake) this.createAlarm("lake_failed", this.lakeFailed());
    this.createAlarm("backfill_failed", this.backfillFailed());
    this.createAlarm("duration", this.duration());
    for (const [id, alarm] of Object.entries(this.hostAlarms())) this.createAlarm(id, alarm);
  }

  /** Encrypted with a customer key alone: CloudWatch may not use `alias/aws/sns`, and a key of our own costs money. */
  private createTopic(): SnsTopic {
    const { functionName, alarmEmail, kmsKeyArn } = this.stack.config;
    const key = kmsKeyArn === null ? {} : { kmsMasterKeyId: kmsKeyArn };
    const topic = new SnsTopic(this, "topic", { name: `${functionName}-alarms`, ...key });
    if (alarmEmail !== null) {
      const subscription = { topicArn: topic.arn, protocol: "email", endpoint: alarmEmail };
      new SnsTopicSubscription(this, "email", subscription);
    }
    return topic;
  }

  private errors(): Alarm {
    return {
      description: "A run of the ETL function failed",
      namespace: "AWS/Lambda",
      metric: "Errors",
      dimensions: { FunctionName: this.stack.config.functionName },
      statistic: "Sum",
      period: 300,
      above: 0,
    };
  }

  private failuresQueued(): Alarm {
    return {
      description: "A run failed after every retry and waits in the queue",
      namespace: "AWS/SQS",
      metric: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: this.failures.name },
      statistic: "Maximum",
      period: 300,
      above: 0,
    };
  }

  private noLoad(): Alarm {
    const hours = this.stack.config.alarmNoLoadHours;
    return {
      ...this.ownMetric(METRICS.runSucceeded),
      description: `No run succeeded for ${hours} h`,
      statistic: "Sum",
      periods: hours,
      below: 1,
      fillWithZero: true,
    };
  }

  private rollupsStale(): Alarm {
    return {
      ...this.ownMetric(METRICS.rollupsStale),
      description: "The dashboard's rollups are not up to date with what is loaded",
      statistic: "Maximum",
      above: 0,
    };
  }

  private rejects(): Alarm {
    const percent = this.stack.config.alarmRejectPercent;
    return {
      ...this.ownMetric(METRICS.rejectShare),
      description: `More than ${percent} % of a run's events were rejected`,
      statistic: "Maximum",
      above: percent,
    };
  }

  private sweepOverdue(): Alarm {
    return {
      ...this.ownMetric(METRICS.sweepAge),
      description: `No sweep of the whole look-back has ended for ${SWEEP_OVERDUE_HOURS} h: what came late is not loaded`,
      statistic: "Maximum",
      above: SWEEP_OVERDUE_HOURS * HOUR,
    };
  }

  private ledgerUnsealed(): Alarm {
    return {
      ...this.ownMetric(METRICS.ledgerSealFailed),
      description:
        "The ledger of old days could not be sealed: it grows by half a gigabyte per million objects",
      statistic: "Maximum",
      above: 0,
    };
  }

  private unpruned(): Alarm {
    return {
      ...this.ownMetric(METRICS.pruneFailed),
      description:
        "Old days could not be pruned: the table grows, and rows are kept longer than they should be",
      statistic: "Maximum",
      above: 0,
    };
  }

  private alertsRaised(): Alarm {
    return {
      ...this.ownMetric(METRICS.alertsRaised),
      description:
        "The shop's events are not as they usually are: the dashboard's Alerts tab says which rule is raised",
      statistic: "Maximum",
      above: 0,
    };
  }

  private alertsFailed(): Alarm {
    return {
      ...this.ownMetric(METRICS.alertsFailed),
      description: "The rules of dw.alert_rules could not be evaluated: the run's log says why",
      statistic: "Maximum",
      above: 0,
    };
  }

  private lakeFailed(): Alarm {
    return {
      ...this.ownMetric(METRICS.lakeExportFailed),
      description:
        "A closed day could not be written into the lake: the run's errors say why; it is not pruned",
      statistic: "Maximum",
      above: 0,
    };
  }

  private backfillFailed(): Alarm {
    return {
      description: "A backfill did not load all of its hours: npm run backfill -- --follow names them",
      namespace: "AWS/States",
      metric: "ExecutionsFailed",
      dimensions: { StateMachineArn: this.backfill.arn },
      statistic: "Sum",
      period: 300,
      above: 0,
    };
  }

  private duration(): Alarm {
    const { functionName, functionTimeoutSeconds, alarmDurationPercent } = this.stack.config;
    return {
      description: `A run took more than ${alarmDurationPercent} % of its ${functionTimeoutSeconds} s`,
      namespace: "AWS/Lambda",
      metric: "Duration",
      dimensions: { FunctionName: functionName },
      statistic: "Maximum",
      period: HOUR,
      above: functionTimeoutSeconds * 10 * alarmDurationPercent, // ms
    };
  }

  /** Of the warehouse's host: what it wrote of itself, which the function passes on, and what EC2 knows of it. */
  private hostAlarms(): { readonly [id: string]: Alarm } {
    const ec2 = {
      namespace: "AWS/EC2",
      dimensions: { InstanceId: this.host.instance.id },
      statistic: "Maximum" as const,
      period: 300,
    };
    const own = (name: keyof typeof HOST_LIMITS, description: string): Alarm => ({
      ...this.ownMetric(HOST_METRICS[name]),
      description,
      statistic: "Maximum",
      silenceIsFine: true, // a host that says nothing is an alarm of its own
      ...HOST_LIMITS[name],
    });
    const { stateAge, dataUsed, rootUsed, memoryUsed, connectionsUsed, backupAge } = HOST_LIMITS;
    const { deadRows, certificateLeft } = HOST_LIMITS;
    return {
      host_check: {
        ...ec2,
        description: "The warehouse's host does not answer EC2's check of the instance",
        metric: "StatusCheckFailed_Instance",
        periods: 3,
        above: 0,
      },
      host_silent: own("stateAge", `The warehouse's host wrote no state for ${stateAge.above / 60} min`),
      host_data_disk: own(
        "dataUsed",
        `The data volume is more than ${dataUsed.above} % full (runbook: disk full)`,
      ),
      host_root_disk: own("rootUsed", `The root disk of the host is more than ${rootUsed.above} % full`),
      host_memory: own("memoryUsed", `More than ${memoryUsed.above} % of the host's memory is in use`),
      host_connections: own(
        "connectionsUsed",
        `More than ${connectionsUsed.above} % of PostgreSQL's connections are in use`,
      ),
      host_units: own(
        "failedUnits",
        "A service of the host failed: setup, backup, migrations, dashboard, patches or another",
      ),
      host_backup: own("backupAge", `No dump was written and read back for ${backupAge.above / HOUR} h`),
      host_bloat: own(
        "deadRows",
        `More than ${deadRows.above} % of the rows are dead: autovacuum falls behind`,
      ),
      host_certificate: own(
        "certificateLeft",
        `The server's certificate ends in less than ${certificateLeft.below} days and was not renewed`,
      ),
      host_snapshots: {
        description: "A snapshot of the data volume could not be made",
        namespace: "AWS/EBS",
        metric: "SnapshotsCreateFailed",
        dimensions: { DLMPolicyId: this.host.snapshots.id },
        statistic: "Sum",
        period: HOUR,
        above: 0,
      },
      ...(isBurstable(this.stack.config.warehouseInstanceType) && {
        host_credits: {
          ...ec2,
          description: "The host has used up nearly all of its CPU credits",
          metric: "CPUCreditBalance",
          periods: 3,
          below: 20,
          silenceIsFine: true,
        },
      }),
    };
  }

  private ownMetric(metric: string) {
    const dimensions = { [METRICS_DIMENSION]: this.stack.config.functionName };
    return { namespace: METRICS_NAMESPACE, metric, dimensions, period: HOUR };
  }

  private createAlarm(id: string, alarm: Alarm): void {
    const { below, above } = alarm;
    new CloudwatchMetricAlarm(this, id, {
      alarmName: `${this.stack.config.functionName}-${id.replaceAll("_", "-")}`,
      alarmDescription: alarm.description,
      ...measure(alarm),
      evaluationPeriods: alarm.periods ?? 1,
      comparisonOperator: below === undefined ? "GreaterThanThreshold" : "LessThanThreshold",
      threshold: below ?? above ?? 0,
      // Silence is what an alarm on too little is for; it means that all is well for one on too much.
      treatMissingData: (alarm.silenceIsFine ?? below === undefined) ? "notBreaching" : "breaching",
      alarmActions: [this.topic.arn],
      okActions: [this.topic.arn],
    });
  }
}

/** What an alarm watches: a metric, or an expression over one. */
function measure({ namespace, metric, dimensions, statistic, period, fillWithZero }: Alarm) {
  if (!fillWithZero)
    return { namespace, metricName: metric, dimensions: { ...dimensions }, statistic, period };
  const counted = { namespace, metricName: metric, dimensions: { ...dimensions }, stat: statistic, period };
  return {
    metricQuery: [
      { id: "counted", metric: counted },
      { id: "filled", expression: "FILL(counted, 0)", label: metric, returnData: true },
    ],
  };
}
