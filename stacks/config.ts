import { closest, distance } from "fastest-levenshtein";
import type { z } from "zod";
import { contains, isHostAddress, overlap, parseAddress, parseCidr } from "./cidr.js";
import { type Config, type ConfigKey, configKeys, type Scope } from "./config-keys.js";
import { longestGapHours } from "./schedule-gap.js";

export type { Config } from "./config-keys.js";

/** A value of the configuration breaks its rule. The message is one sentence: the key, the rule, the value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Keys that cdktf itself, or its successor, puts into the context. */
const CDKTF_CONTEXT = /^(cdktf|excludeStackIdFromLogicalIds$|allowSepCharsInLogicalIds$|targetVersions$)/;

/**
 * The configuration that the app's context asks for; every key that is absent has its default.
 * @param context all of the app's context: cdktf's own keys are skipped, any other unknown key is an error
 * @throws {ConfigError}
 */
export function loadConfig(context: Readonly<Record<string, unknown>> = {}): Config {
  const own = Object.entries(context).filter(([key]) => !CDKTF_CONTEXT.test(key));
  for (const [key] of own) assertKnown(key);
  const given = new Map(own);
  const scope = scopeOf(given);
  const values = Object.entries(configKeys).map(([key, { schema, rule, default: fallback, derive }]) => {
    const value = given.has(key) ? given.get(key) : derive ? derive(scope) : fallback;
    const parsed = (schema as z.ZodType).safeParse(value);
    if (!parsed.success) throw refused(key, rule, value);
    return [key, parsed.data] as const;
  });
  const config = Object.fromEntries(values) as unknown as Config;
  for (const check of [
    checkZone,
    checkNetwork,
    checkAddresses,
    checkWebDb,
    checkSchedule,
    checkRetention,
    checkKeys,
  ])
    check(config);
  return config;
}

/** Read before it is checked: a bad value is refused as the first of all keys. */
function scopeOf(given: ReadonlyMap<string, unknown>): Scope {
  const { project, environment } = configKeys;
  return {
    project: String(given.get("project") ?? project.default),
    environment: String(given.get("environment") ?? environment.default),
  };
}

function assertKnown(key: string): void {
  if (key in configKeys) return;
  const known = Object.keys(configKeys);
  const meant = closest(key, known);
  const hint = distance(key, meant) <= key.length / 3 ? ` Did you mean "${meant}"?` : "";
  throw new ConfigError(`Configuration has no key "${key}"; it knows ${known.join(", ")}.${hint}`);
}

function refused(key: string, rule: string, value: unknown): ConfigError {
  return new ConfigError(`Configuration "${key}" must be ${rule}, but is ${JSON.stringify(value)}.`);
}

function refuseUnless(holds: boolean, config: Config, key: ConfigKey, rule: string): void {
  if (!holds) throw refused(key, rule, config[key]);
}

function checkZone(config: Config): void {
  const holds = config.availabilityZone.startsWith(config.region);
  refuseUnless(holds, config, "availabilityZone", `a zone of the region ${config.region}`);
}

function checkNetwork(config: Config): void {
  const vpc = cidr(config.vpcCidr);
  for (const key of ["publicSubnetCidr", "privateSubnetCidr"] as const)
    refuseUnless(contains(vpc, cidr(config[key])), config, key, `inside vpcCidr ${config.vpcCidr}`);
  const apart = !overlap(cidr(config.publicSubnetCidr), cidr(config.privateSubnetCidr));
  refuseUnless(apart, config, "privateSubnetCidr", `apart from publicSubnetCidr ${config.publicSubnetCidr}`);
}

function checkAddresses(config: Config): void {
  checkAddress(config, "warehousePrivateIp", "privateSubnetCidr");
  if (config.webDb) checkAddress(config, "webDbPrivateIp", "publicSubnetCidr");
}

function checkAddress(
  config: Config,
  key: "warehousePrivateIp" | "webDbPrivateIp",
  subnet: "privateSubnetCidr" | "publicSubnetCidr",
): void {
  const holds = isHostAddress(cidr(config[subnet]), parseAddress(config[key]) ?? -1);
  const rule = `an address of ${subnet} ${config[subnet]} other than the five that AWS keeps`;
  refuseUnless(holds, config, key, rule);
}

function checkWebDb(config: Config): void {
  const holds = config.webDb || config.webDbAllowedCidrs.length === 0;
  refuseUnless(holds, config, "webDbAllowedCidrs", "empty while webDb is false");
}

/** A schedule as rare as the alarm on its absence would raise that alarm for ever. */
function checkSchedule(config: Config): void {
  const gap = longestGapHours(config.ruleSchedule);
  refuseUnless(gap !== null, config, "ruleSchedule", "a rate(…) or cron(…) expression of EventBridge");
  const holds = (gap ?? 0) < config.alarmNoLoadHours;
  const rule = `a schedule with less than alarmNoLoadHours ${config.alarmNoLoadHours} h between two runs`;
  refuseUnless(holds, config, "ruleSchedule", rule);
}

/** Rows of a day that objects are still looked for in would go as they come. */
function checkRetention(config: Config): void {
  const { retentionDays, lookbackHours } = config;
  const holds = retentionDays === 0 || retentionDays * 24 >= lookbackHours;
  refuseUnless(holds, config, "retentionDays", `0, or days of at least lookbackHours ${lookbackHours}`);
}

function checkKeys(config: Config): void {
  const holds = !config.createRawBucket || config.rawBucketKmsKeyArn === null;
  refuseUnless(
    holds,
    config,
    "rawBucketKmsKeyArn",
    "null while createRawBucket is true: kmsKeyArn is its key",
  );
  const elsewhere = config.snapshotCopyRegion !== config.region;
  refuseUnless(elsewhere, config, "snapshotCopyRegion", `another region than ${config.region}`);
}

function cidr(text: string) {
  const parsed = parseCidr(text);
  if (parsed === null) throw new ConfigError(`"${text}" is not a network.`);
  return parsed;
}
