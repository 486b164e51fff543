import { z } from "zod";
import { KEPT_DAYS, LOOKBACK_HOURS, POSTGRES_PORT, RECENT_HOURS } from "../functions/etl/contract.js";
import { parseAddress, parseCidr } from "./cidr.js";

/** One key of the configuration. `rule` completes the sentence "must be …". */
interface Key<T> {
  readonly schema: z.ZodType<T>;
  readonly rule: string;
  readonly default: T;
  /** What the key is for: its line in docs/configuration.md. */
  readonly purpose: string;
  /** The default of another environment, or project. @default the same */
  readonly derive?: (scope: Scope) => T;
}

/** What derived names begin or end with. */
export interface Scope {
  readonly project: string;
  readonly environment: string;
}

function key<T>(schema: z.ZodType<T>, rule: string, fallback: NoInfer<T>, purpose: string): Key<T> {
  return { schema, rule, default: fallback, purpose };
}

/** The environment whose names are those of docs/requirements.md. */
const PRODUCTION = "production";

function derived<T>(own: Key<T>, derive: (scope: Scope) => T): Key<T> {
  return { ...own, derive };
}

/** Each other environment has names of its own, so that several fit into one account. */
function perEnvironment(own: Key<string>): Key<string> {
  return derived(own, ({ environment }) =>
    environment === PRODUCTION ? own.default : `${own.default}-${environment}`,
  );
}

const switchKey = (fallback: boolean, purpose: string) =>
  key(z.boolean(), "true or false", fallback, purpose);

function count(min: number, max: number, fallback: number, purpose: string): Key<number> {
  const schema = z.number().int().min(min).max(max);
  return key(schema, `a whole number from ${min} to ${max}`, fallback, purpose);
}

const retention = (purpose: string) =>
  count(KEPT_DAYS.min, KEPT_DAYS.max, KEPT_DAYS.default, `${purpose}; 0: for ever`);

function name(max: number, fallback: string, purpose: string): Key<string> {
  const schema = z.string().regex(new RegExp(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,${max - 1}}$`));
  const rule = `1 to ${max} letters, digits, _ and -, not starting with -`;
  return perEnvironment(key(schema, rule, fallback, purpose));
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
const BUCKET_RULE = "a bucket name of 3 to 63 lower-case letters, digits and hyphens";
const optionalBucket = (purpose: string) =>
  key<string | null>(BUCKET.nullable(), `${BUCKET_RULE}, or null`, null, purpose);

/** https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html */
const NETWORK = z.string().refine((text) => {
  const bits = parseCidr(text)?.bits ?? 0;
  return bits >= 16 && bits <= 28;
});
const network = (fallback: string, purpose: string) =>
  key(NETWORK, "an IPv4 network from /16 to /28 such as 10.0.0.0/16", fallback, purpose);

const ADDRESS = z.string().refine((text) => parseAddress(text) !== null);
const address = (fallback: string, purpose: string) =>
  key(ADDRESS, "an IPv4 address such as 10.0.128.10", fallback, purpose);

/** Shorter prefixes than /8 are the whole internet in pieces. */
const CLIENTS = z.array(z.string().refine((text) => (parseCidr(text)?.bits ?? 0) >= 8));
const CLIENTS_RULE = "a list of IPv4 networks of at least /8, never 0.0.0.0/0";

/**
 * https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html: g stands for Graviton. The dashboard's
 * bundle is built for the processor of whoever builds it, and that is seldom one.
 */
const X86_TYPE = z.string().regex(/^(?!a1\.)[a-z]+\d+(?!g)[a-z-]*\.(\d*x?large|medium|small|micro)$/);
const x86Type = (fallback: string, purpose: string) =>
  key(X86_TYPE, "an x86_64 instance type such as t3.medium", fallback, purpose);

const DATABASE = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/);
const database = (fallback: string, purpose: string) =>
  key(DATABASE, "1 to 63 lower-case letters, digits and _, not starting with a digit", fallback, purpose);

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const PREFIX = z.string().regex(/^[a-z][a-z0-9-]{0,15}[a-z0-9]$/);
const PREFIX_RULE = "2 to 17 lower-case letters, digits and hyphens, starting with a letter";
/**
 * Names of parameters and documents begin with the project, and AWS keeps these beginnings for itself:
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
 */
const PROJECT = PREFIX.regex(/^(?!aws|ssm|amazon|amzn)/);

const REGION = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/);

const KMS_KEY = z.string().regex(/^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/[a-z0-9-]+$/);
const kmsKey = (purpose: string) =>
  key<string | null>(KMS_KEY.nullable(), "the ARN of a KMS key, or null", null, purpose);

/** Every key that the context may set, with the names and numbers of docs/requirements.md as defaults. */
export const configKeys = {
  project: key(
    PROJECT,
    `${PREFIX_RULE}, but not with aws, ssm, amazon or amzn`,
    "clickstream",
    "tag `Project`; first part of derived names",
  ),
  environment: key(PREFIX, PREFIX_RULE, PRODUCTION, "tag `Environment`; second part of derived names"),
  region: key(REGION, "an AWS region", "ap-southeast-1", "where all is made"),
  availabilityZone: key(
    z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/),
    "an availability zone",
    "ap-southeast-1a",
    "the zone of both subnets and of the data volumes",
  ),
  stateBucket: derived(
    key<string | null>(
      BUCKET.nullable(),
      `${BUCKET_RULE}, or null`,
      "clickstream-production-terraform-state",
      "existing bucket for the Terraform state, with a lock file; null, the default of the environment `local`, keeps the state in this folder",
    ),
    ({ project, environment }) =>
      environment === "local" ? null : `${project}-${environment}-terraform-state`,
  ),
  protectData: switchKey(true, "refuse to destroy data volumes and the buckets that the stacks made"),
  logRetentionDays: key(
    z.number().refine((days) => RETENTION_DAYS.includes(days)),
    `one of ${RETENTION_DAYS.join(", ")}`,
    30,
    "days that every log group keeps its logs",
  ),

  kmsKeyArn: kmsKey(
    "customer key for volumes, buckets, parameters, logs, queue and alarms, whose policy docs/security.md asks for; null: AWS's own keys",
  ),

  vpcName: name(50, "SBW_Project_VPC", "the VPC"),
  vpcCidr: network("10.0.0.0/16", "its network"),
  publicSubnetName: name(255, "SBW_Project-subnet-public1-ap-southeast-1a", "the public subnet"),
  publicSubnetCidr: network("10.0.0.0/20", "its network"),
  privateSubnetName: name(255, "SBW_Project-subnet-private1-ap-southeast-1a", "the private subnet"),
  privateSubnetCidr: network("10.0.128.0/20", "its network"),
  functionSecurityGroupName: name(255, "sg_Lambda_ETL", "the function's security group"),
  warehouseSecurityGroupName: name(255, "sg_analytics_ShinyDWH", "the warehouse's security group"),
  ec2MessagesEndpoint: switchKey(true, "make the `ec2messages` endpoint, which agents since 3.3 do without"),

  warehouseName: name(50, "SBW_EC2_ShinyDWH", "the warehouse's host"),
  warehouseDatabase: database("clickstream_dw", "its database"),
  warehouseInstanceType: x86Type("t3.medium", "its instance type"),
  detailedMonitoring: switchKey(
    false,
    "CloudWatch metrics of the hosts every minute, at extra cost, instead of every five",
  ),
  warehousePrivateIp: address("10.0.128.10", "its private address, kept when the host is replaced"),
  warehouseDataGb: count(10, 16_384, 50, "size of its data volume in GiB"),
  snapshotRetentionDays: count(1, 365, 7, "daily snapshots of a data volume that are kept"),
  snapshotCopyRegion: key<string | null>(
    REGION.nullable(),
    "an AWS region, or null",
    null,
    "another region that snapshots are copied to and kept in as long",
  ),
  backupRetentionDays: count(1, 3_650, 30, "days that a nightly dump is kept"),
  passwordVersion: count(1, 1_000_000, 1, "raise it to make new database passwords"),
  artifactsBucket: optionalBucket(
    "bucket for migrations, dashboard and dumps; null names it after project, environment and account",
  ),

  lake: switchKey(false, "write closed days as Parquet files, and make what Athena reads them with"),
  lakeBucket: optionalBucket("existing bucket for these files; null: the bucket of the artifacts"),
  lakeScanLimitGb: count(1, 10_000, 10, "GiB that one query of Athena may read"),

  webDb: switchKey(false, "make the optional OLTP host in the public subnet"),
  webDbName: name(50, "SBW_EC2_WebDB", "its host"),
  webDbSecurityGroupName: name(255, "sg_oltp_webDB", "its security group"),
  webDbDatabase: database("clickstream_web", "its database"),
  webDbInstanceType: x86Type("t3.small", "its instance type"),
  webDbPrivateIp: address("10.0.0.10", "its private address"),
  webDbDataGb: count(10, 16_384, 20, "size of its data volume in GiB"),
  webDbAllowedCidrs: key(CLIENTS, CLIENTS_RULE, [], `who may reach it on ${POSTGRES_PORT}`),

  rawBucket: perEnvironment(
    key(BUCKET, BUCKET_RULE, "clickstream-s3-ingest", "the bucket with the raw events"),
  ),
  rawBucketKmsKeyArn: kmsKey("the customer key that a raw bucket made elsewhere is encrypted with"),
  createRawBucket: switchKey(false, "make the raw bucket instead of looking it up"),
  rawInfrequentAccessDays: count(
    30,
    3_650,
    90,
    "days after which a made raw bucket moves objects to cheaper storage",
  ),
  rawExpirationDays: count(0, 36_500, 0, "days after which a made raw bucket deletes objects; 0 keeps them"),

  functionName: name(60, "SBW_Lamda_ETL", "the ETL function"),
  functionMemoryMb: count(256, 10_240, 1_024, "its memory in MiB"),
  functionTimeoutSeconds: count(60, 900, 600, "its time limit"),
  lookbackHours: count(
    LOOKBACK_HOURS.min,
    LOOKBACK_HOURS.max,
    LOOKBACK_HOURS.default,
    "hours within which an object may be written late: a sweep, once a day, lists so many",
  ),
  recentHours: count(
    RECENT_HOURS.min,
    RECENT_HOURS.max,
    RECENT_HOURS.default,
    "hours before the current one that every scheduled run lists",
  ),
  retentionDays: retention("whole days that events stay in the warehouse, at least the look-back"),
  rejectRetentionDays: retention("days that quarantine keeps the text of what was rejected"),
  runRetentionDays: retention("days that the records of runs are kept"),
  details: switchKey(
    true,
    "load what the 16 columns leave out into `clickstream_event_details`: pages, referrers, campaigns, devices and the rest",
  ),
  keepIp: switchKey(false, "keep the network (/24, /48) of a visitor's IP address in it, instead of nothing"),
  tracing: switchKey(false, "record X-Ray traces of function and backfills"),
  backfillName: name(64, "SBW_ETL_BACKFILL", "the state machine that loads a window of the past"),
  // A run takes three of PostgreSQL's 40 connections at most, and others want some too.
  backfillConcurrency: count(1, 8, 4, "hours that a backfill loads at a time"),
  ruleName: name(64, "SBW_ETL_HOURLY_RULE", "the EventBridge rule"),
  ruleSchedule: key(
    z.string().regex(/^(rate|cron)\(.+\)$/),
    "a rate(…) or cron(…) expression of EventBridge",
    "rate(1 hour)",
    "when it runs",
  ),

  alarmEmail: key<string | null>(
    z.email().nullable(),
    "an e-mail address, or null",
    null,
    "who is notified of alarms",
  ),
  alarmNoLoadHours: count(2, 24, 3, "hours without a successful run that raise an alarm"),
  alarmRejectPercent: count(
    0,
    100,
    5,
    "rejected events in percent of a run's above which an alarm is raised",
  ),
  alarmDurationPercent: count(1, 100, 90, "percent of the time limit above which a run raises an alarm"),
};

export type ConfigKey = keyof typeof configKeys;

/** What the stacks are made from; see docs/configuration.md. */
export type Config = {
  readonly [K in ConfigKey]: (typeof configKeys)[K] extends Key<infer T> ? Readonly<T> : never;
};
