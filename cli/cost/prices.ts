/**
 * On-demand prices of ap-southeast-1 in US dollars before tax, as AWS's Price List API had them in August 2026, without free
 * tiers. The usage type beside each finds it again: `aws pricing get-products`, filter regionCode=ap-southeast-1. Whoever needs
 * to the cent what they cost today changes this table alone.
 */
export const PRICES_AS_OF = "2026-08";

export const PRICES = {
  /** An hour of Linux, APS1-BoxUsage:TYPE. Those of m7i and r7i are of 2025-06 and were not found again. */
  instanceHour: {
    "t3.small": 0.0264,
    "t3.medium": 0.0528,
    "t3.large": 0.1056,
    "t3.xlarge": 0.2112,
    "m7i.large": 0.126,
    "m7i.xlarge": 0.252,
    "r7i.large": 0.159,
    "r7i.xlarge": 0.318,
  },
  /** A GB for a month: APS1-EBS:VolumeUsage.gp3, APS1-EBS:SnapshotUsage. */
  gp3: 0.096,
  snapshot: 0.05,
  /** An hour in one zone: APS1-VpcEndpoint-Hours. */
  endpointHour: 0.013,
  /** APS1-TimedStorage-ByteHrs; APS1-Requests-Tier2; APS1-Requests-Tier1. */
  s3Storage: 0.025,
  s3Get: 0.0004 / 1000,
  s3List: 0.005 / 1000,
  /** arm64: APS1-Lambda-GB-Second-ARM, APS1-Request-ARM. */
  lambdaGbSecond: 0.0000133334,
  lambdaRequest: 0.0000002,
  /** APS1-StateTransition. */
  stateTransition: 0.000025,
  /** A month: APS1-CW:AlarmMonitorUsage, APS1-CW:MetricMonitorUsage. */
  alarm: 0.1,
  metric: 0.3,
  /** A GB taken in, and kept for a month: APS1-DataProcessing-Bytes, APS1-TimedStorage-ByteHrs of CloudWatch. */
  logGb: 0.7,
  logStorage: 0.03,
} as const;

export type InstanceType = keyof typeof PRICES.instanceHour;
