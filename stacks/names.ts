import { LAKE_COLUMNS as COLUMNS, DECIMAL, type LakeKind } from "etl-lib/lake-columns";
import { LAKE_FOLDER, POSTGRES_PORT } from "../functions/etl/contract.js";
import type { Config } from "./config.js";

export { LAKE_TABLE } from "etl-lib/lake-columns";

/** Names and numbers that the stacks give and the commands look up again. No construct and no AWS client in here. */

export const PORTS = {
  postgres: POSTGRES_PORT,
  shiny: 3838,
  /** This machine's end of a tunnel to PostgreSQL. Not 5432: a developer's own server may listen there. */
  localPostgres: 15_432,
} as const;

/** A database host's part in parameter paths and backup folders. */
export type HostSlug = "dwh" | "webdb";

/** File name of a stack's local state. */
export function stateFile({ environment }: Config, stack: string): string {
  return `terraform.${environment}.${stack}.tfstate`;
}

/** Key of a stack's state in `stateBucket`. */
export function stateKey({ project, environment }: Config, stack: string): string {
  return `${project}/${environment}/${stack}.tfstate`;
}

/** The bucket of the hosts' files, journals and dumps, of recorded sessions, the migrations and the dashboard. Bucket names are global. */
export function artifactsBucketName(config: Config, accountId: string): string {
  const { artifactsBucket, project, environment } = config;
  return artifactsBucket ?? `${project}-${environment}-artifacts-${accountId}`;
}

/** The bucket of the lake's files. */
export function lakeBucketName(config: Config, accountId: string): string {
  return config.lakeBucket ?? artifactsBucketName(config, accountId);
}

/** What the function does with them. */
export const LAKE_ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"];

/** Glue's types of the lake's. */
const GLUE_TYPES: { readonly [kind in LakeKind]: string } = {
  text: "string",
  time: "timestamp",
  boolean: "boolean",
  decimal: `decimal(${DECIMAL.precision},${DECIMAL.scale})`,
};

/** Of the lake's table, in the order of its files. */
export const LAKE_COLUMNS = COLUMNS.map(({ name, kind }) => ({ name, type: GLUE_TYPES[kind] }));

/** Athena's workgroup. */
export const lakeWorkgroup = ({ project, environment }: Config): string => `${project}-${environment}-lake`;

/** Glue's database: of hyphens Athena makes trouble. */
export const lakeDatabase = ({ project, environment }: Config): string =>
  `${project}_${environment}`.replaceAll("-", "_");

/** Folders of the artifacts bucket. */
export const ARTIFACTS = {
  host: "host",
  migrations: "migrations",
  dashboard: "dashboard",
  backups: "backups",
  journals: "journals",
  backfills: "backfills",
  sessions: "sessions",
  lake: LAKE_FOLDER,
  queryResults: "query-results",
} as const;

/** What an execution of the backfill machine is started with. */
export interface BackfillInput {
  /** The artifacts bucket. */
  readonly bucket: string;
  /** Of this backfill there: its lists, and `failed/HOUR.json` of each hour that is not loaded. */
  readonly folder: string;
  /** Keys of the lists of hours, each `[{"from", "to"}, …]`: the first ones of their days, and the others. */
  readonly firstKey: string;
  readonly othersKey: string;
  readonly maxConcurrency: number;
  /** Hours in the lists. */
  readonly firstHours: number;
  readonly otherHours: number;
  readonly from: string;
  readonly to: string;
  /** 0; the machine counts. */
  readonly refreshes: number;
}

/** The shell script that lays the files of a host. */
export const HOST_FILES_KEY = `${ARTIFACTS.host}/files.sh`;

/** Folder of a host's dumps in the artifacts bucket. */
export function backupsFolder(slug: HostSlug): string {
  return `${ARTIFACTS.backups}/${slug}`;
}

/** Folder of a host's journal in the artifacts bucket. */
export function journalsFolder(slug: HostSlug): string {
  return `${ARTIFACTS.journals}/${slug}`;
}

/** When clickstream-backup.timer starts the nightly dump. */
export const BACKUP_TIME_UTC = "18:30";

/** The daily snapshots of data volumes: volume and snapshots carry the tag, with the host's name as its value. */
export const SNAPSHOTS = {
  tag: "DailySnapshot",
  /** 02:00 in the shops' own time zone, UTC+7: nobody's busy hour. */
  timeUtc: "19:00",
} as const;

/** SSM path of a host's parameters, without a trailing slash. */
export function parameterPath({ project, environment }: Config, slug: HostSlug): string {
  return `/${project}/${environment}/${slug}`;
}

/** The SSM parameter in which a host publishes the authority that signed its certificate. */
export function certificateParameter(config: Config, slug: HostSlug): string {
  return `${parameterPath(config, slug)}/certificate`;
}

/** The Session Manager document that leads to a port of the warehouse's host, or to a recorded shell. */
export function sessionDocument(
  { project, environment }: Config,
  kind: "dashboard" | "psql" | "shell",
): string {
  return `${project}-${environment}-${kind}`;
}

/** The bucket of the access logs of the other buckets. */
export function accessLogsBucketName({ project, environment }: Config, accountId: string): string {
  return `${project}-${environment}-access-logs-${accountId}`;
}

/** The AWS services that are reached through an interface endpoint. */
export function interfaceServices({ ec2MessagesEndpoint }: Config): string[] {
  return ["ssm", "ssmmessages", ...(ec2MessagesEndpoint ? ["ec2messages"] : [])];
}

/** `Name` tag of the VPC endpoint of a service. */
export function endpointName({ vpcName }: Config, service: string): string {
  return `${vpcName}-${service}`;
}

/** Amazon's buckets with the Systems Manager agent's own packages and documents. */
export function agentBucketNames({ region }: Config): string[] {
  return [`amazon-ssm-${region}`, `amazon-ssm-packages-${region}`, `aws-ssm-${region}`];
}

/** Amazon Linux 2023's package repositories lie in this bucket of Amazon's, read without a signature. */
export function packageBucketName({ region }: Config): string {
  return `al2023-repos-${region}-de612dc2`;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances.html: the T families earn credits. */
export const isBurstable = (instanceType: string): boolean => instanceType.startsWith("t");
