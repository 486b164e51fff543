import { type CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";

/** Which points of a metric are looked at. */
export interface MetricQuery {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly from: Date;
  readonly to: Date;
  /** Leaves out minutes whose sum is less. @default 0 */
  readonly atLeast?: number;
}

export interface MetricPoint {
  /** Start of the minute. */
  readonly at: Date;
  readonly sum: number;
  readonly maximum: number;
}

/** CloudWatch answers 1,440 points at most: the minutes of a day. */
const MINUTE = 60;

/** The newest minute of the metric, or null when there is none. */
export async function newestPoint(client: CloudWatchClient, query: MetricQuery): Promise<MetricPoint | null> {
  const command = new GetMetricStatisticsCommand({
    Namespace: query.namespace,
    MetricName: query.metric,
    Dimensions: Object.entries(query.dimensions).map(([Name, Value]) => ({ Name, Value })),
    StartTime: query.from,
    EndTime: query.to,
    Period: MINUTE,
    Statistics: ["Sum", "Maximum"],
  });
  const { Datapoints } = await client.send(command);
  const points = (Datapoints ?? []).map(({ Timestamp, Sum, Maximum }) => ({
    at: new Date(Timestamp ?? 0),
    sum: Sum ?? 0,
    maximum: Maximum ?? 0,
  }));
  const counted = points.filter(({ sum }) => sum >= (query.atLeast ?? 0));
  return counted.sort((one, other) => other.at.getTime() - one.at.getTime())[0] ?? null;
}
