/**
 * AWS's public on-demand prices in ap-southeast-1, US dollars before tax, as they were in June 2025. Whoever needs to the
 * cent what they cost today compares them with https://aws.amazon.com/pricing/ and changes this table alone.
 */
export const PRICES_AS_OF = "2025-06";

export const PRICES = {
  /** An hour of Linux, https://aws.amazon.com/ec2/pricing/on-demand/ */
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
  /** A GB for a month, https://aws.amazon.com/ebs/pricing/ */
  gp3: 0.096,
  snapshot: 0.05,
  /** An interface endpoint for an hour in one zone, https://aws.amazon.com/privatelink/pricing/ */
  endpointHour: 0.013,
  /** https://aws.amazon.com/s3/pricing/ */
  s3Storage: 0.025,
  s3Get: 0.0004 / 1000,
  s3List: 0.005 / 1000,
  /** arm64, https://aws.amazon.com/lambda/pricing/ */
  lambdaGbSecond: 0.0000133334,
  /** https://aws.amazon.com/cloudwatch/pricing/ */
  alarm: 0.1,
  metric: 0.3,
  logGb: 0.7,
} as const;

export type InstanceType = keyof typeof PRICES.instanceHour;
