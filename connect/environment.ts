import { KEPT_DAYS, LOOKBACK_HOURS, POSTGRES_PORT, RECENT_HOURS } from "../functions/etl/contract.js";

export const SSL_MODES = ["disable", "require", "verify-full"] as const;
/** As libpq's `sslmode`: `require` encrypts, `verify-full` also checks the certificate and its name. */
export type SslMode = (typeof SSL_MODES)[number];

const SWITCH = ["true", "false"] as const;

/** How to reach the warehouse: the `DWH_*` keys. Exactly as configured; no parameter is read yet. */
export interface WarehouseEnvironment {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** The password itself, or the SSM SecureString that holds it. */
  readonly password: { readonly value: string } | { readonly parameter: string };
  readonly ssl: SslMode;
  /** SSM parameter with the PEM certificate that `verify-full` trusts; null means the system's authorities. */
  readonly sslCaParameter: string | null;
}

/** Where the AWS clients go; null endpoints mean AWS itself. */
export interface AwsEnvironment {
  readonly region: string;
  readonly endpoint: string | null;
  readonly s3Endpoint: string | null;
}

/** All that the function is configured with. */
export interface EtlEnvironment {
  readonly aws: AwsEnvironment;
  readonly warehouse: WarehouseEnvironment;
  readonly rawBucket: string;
  readonly lookbackHours: number;
  readonly recentHours: number;
  /** Days; 0: for ever. */
  readonly retention: { readonly events: number; readonly rejects: number; readonly runs: number };
  /** What is loaded beside the rows; null: nothing. */
  readonly details: { readonly keepIp: boolean } | null;
  /** The bucket of the lake; null: there is none. */
  readonly lakeBucket: string | null;
}

export type Env = Readonly<Record<string, string | undefined>>;

/** A key of the environment is missing or bad. The message names the key, the rule and the value received. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

/** @throws {EnvironmentError} */
export function readEtlEnvironment(env: Env): EtlEnvironment {
  return {
    aws: readAwsEnvironment(env),
    warehouse: readWarehouseEnvironment(env),
    rawBucket: required(env, "RAW_BUCKET", "the bucket with the raw events"),
    lookbackHours: readLookbackHours(env),
    recentHours: integer(env, "ETL_RECENT_HOURS", RECENT_HOURS),
    retention: readRetention(env),
    details: readDetails(env),
    lakeBucket: optional(env, "LAKE_BUCKET"),
  };
}

/** Rows of a day that objects are still looked for in would go as they come. */
function readRetention(env: Env): EtlEnvironment["retention"] {
  const events = integer(env, "ETL_RETENTION_DAYS", KEPT_DAYS);
  const lookbackHours = readLookbackHours(env);
  if (events > 0 && events * 24 < lookbackHours)
    throw new EnvironmentError(
      `ETL_RETENTION_DAYS has to be 0 or at least ETL_LOOKBACK_HOURS (${lookbackHours} h), but is "${events}".`,
    );
  return {
    events,
    rejects: integer(env, "ETL_REJECT_RETENTION_DAYS", KEPT_DAYS),
    runs: integer(env, "ETL_RUN_RETENTION_DAYS", KEPT_DAYS),
  };
}

/** @throws {EnvironmentError} */
export function readWarehouseEnvironment(env: Env): WarehouseEnvironment {
  const host = required(env, "DWH_HOST", "the address of the warehouse");
  return {
    host,
    port: integer(env, "DWH_PORT", { min: 1, max: 65_535, default: POSTGRES_PORT }),
    user: required(env, "DWH_USER", "the role that loads, e.g. etl_writer"),
    database: required(env, "DWH_DATABASE", "the warehouse's database, e.g. clickstream_dw"),
    password: readPassword(env),
    ssl: oneOf(env, "DWH_SSL", SSL_MODES, isLoopback(host) ? "disable" : "verify-full"),
    sslCaParameter: optional(env, "DWH_SSL_CA_PARAMETER"),
  };
}

/** @throws {EnvironmentError} */
export function readAwsEnvironment(env: Env): AwsEnvironment {
  const endpoint = url(env, "AWS_ENDPOINT_URL");
  return {
    region: required(env, "AWS_REGION", "the region of the bucket, e.g. ap-southeast-1"),
    endpoint,
    s3Endpoint: url(env, "AWS_ENDPOINT_URL_S3") ?? endpoint,
  };
}

/** `ETL_LOOKBACK_HOURS`. @throws {EnvironmentError} */
export function readLookbackHours(env: Env): number {
  return integer(env, "ETL_LOOKBACK_HOURS", LOOKBACK_HOURS);
}

/** `ETL_DETAILS`, `ETL_KEEP_IP`. @throws {EnvironmentError} */
export function readDetails(env: Env): EtlEnvironment["details"] {
  const isOn = oneOf(env, "ETL_DETAILS", SWITCH, "true") === "true";
  const keepIp = oneOf(env, "ETL_KEEP_IP", SWITCH, "false") === "true";
  return isOn ? { keepIp } : null;
}

function readPassword(env: Env): WarehouseEnvironment["password"] {
  const value = optional(env, "DWH_PASSWORD");
  if (value !== null) return { value };
  const parameter = optional(env, "DWH_PASSWORD_PARAMETER");
  if (parameter !== null) return { parameter };
  throw new EnvironmentError(
    "Neither DWH_PASSWORD nor DWH_PASSWORD_PARAMETER is set: one of them has to give the warehouse's password.",
  );
}

function optional(env: Env, key: string): string | null {
  const value = env[key];
  return value === undefined || value === "" ? null : value;
}

function required(env: Env, key: string, meaning: string): string {
  const value = optional(env, key);
  if (value === null) throw new EnvironmentError(`${key} is not set: it has to name ${meaning}.`);
  return value;
}

function integer(env: Env, key: string, rule: { min: number; max: number; default: number }): number {
  const text = optional(env, key);
  if (text === null) return rule.default;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= rule.min && value <= rule.max) return value;
  throw new EnvironmentError(
    `${key} has to be a whole number from ${rule.min} to ${rule.max}, but is "${text}".`,
  );
}

function oneOf<T extends string>(env: Env, key: string, allowed: readonly T[], fallback: T): T {
  const text = optional(env, key);
  if (text === null) return fallback;
  const value = allowed.find((candidate) => candidate === text);
  if (value !== undefined) return value;
  throw new EnvironmentError(`${key} has to be one of ${allowed.join(", ")}, but is "${text}".`);
}

function url(env: Env, key: string): string | null {
  const text = optional(env, key);
  if (text === null || /^https?:$/.test(URL.parse(text)?.protocol ?? "")) return text;
  throw new EnvironmentError(`${key} has to be an http or https address, but is "${text}".`);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
