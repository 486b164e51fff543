import { X509Certificate } from "node:crypto";
import { DescribeSnapshotsCommand } from "@aws-sdk/client-ec2";
import { paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import {
  artifactsBucketName,
  BACKUP_TIME_UTC,
  backupsFolder,
  certificateParameter,
  SNAPSHOTS,
} from "../../stacks/names.js";
import type { Condition } from "../deployed/host.js";
import { duration } from "../shared/format.js";
import { absent, type Check, DAY, fails, HOUR, holds, type Subject } from "./check.js";

const certificate: Check = { name: "certificate", inspect: inspectCertificate };
const snapshots: Check = { name: "snapshots", inspect: inspectSnapshots };
const backups: Check = { name: "backups", inspect: inspectBackups };

/** What clients trust, and what the data could be had back from. */
export const DATA_CHECKS: readonly Check[] = [certificate, snapshots, backups];

/** The host makes a new authority 420 days before the old one ends: 400 means that its daily setup has not run for weeks. */
const CERTIFICATE_DAYS = 400;
/** Both are daily; snapshots may start an hour late. */
const STALE = 26 * HOUR;
const SETUP = "on the host: sudo systemctl start clickstream-setup";

async function inspectCertificate({ deployed, now }: Subject): Promise<Condition> {
  const Name = certificateParameter(deployed.config, "dwh");
  const value = await readParameter(deployed, Name);
  if (value === null) return fails(`the parameter ${Name} is not there`, "deploy the warehouse stack");
  if (!value.includes("-----BEGIN CERTIFICATE-----"))
    return fails(`${Name} holds no certificate: the host has not published one`, SETUP);
  const left = Date.parse(new X509Certificate(value).validTo) - now.getTime();
  if (left <= 0) return fails(`${Name} expired ${duration(-left)} ago: no client connects`, SETUP);
  if (left < CERTIFICATE_DAYS * DAY)
    return fails(`${Name} ends in ${duration(left)}: the host should have renewed it`, SETUP);
  return holds(`${Name} is good for ${duration(left)}`);
}

async function readParameter({ clients }: Subject["deployed"], Name: string): Promise<string | null> {
  const answer = await clients.ssm.send(new GetParameterCommand({ Name })).catch(absent);
  return answer?.Parameter?.Value ?? null;
}

async function inspectSnapshots({ deployed, now }: Subject): Promise<Condition> {
  const { clients, config } = deployed;
  const command = new DescribeSnapshotsCommand({
    OwnerIds: ["self"],
    Filters: [
      { Name: `tag:${SNAPSHOTS.tag}`, Values: [config.warehouseName] },
      { Name: "status", Values: ["pending", "completed"] },
    ],
  });
  const { Snapshots } = await clients.ec2.send(command);
  const [newest] = (Snapshots ?? []).map(({ StartTime }) => StartTime as Date).sort((a, b) => +b - +a);
  const policy = `see the lifecycle policy's state: aws dlm get-lifecycle-policies --region ${config.region}`;
  return inspectAge("snapshot of the data volume", newest, now, {
    missing: `the first is made at ${SNAPSHOTS.timeUtc} UTC; if none is by then, ${policy}`,
    stale: policy,
  });
}

/** A dump counts only with its .sha256 beside it: without one it was not read back. */
async function inspectBackups({ deployed, now }: Subject): Promise<Condition> {
  const written = await listBackups(deployed);
  const whole = [...written].filter(([key]) => written.has(`${key}.sha256`));
  const [newest] = whole.map(([, at]) => at).sort((a, b) => +b - +a);
  const journal = "read why: sudo journalctl -u clickstream-backup -e on the host";
  return inspectAge("dump that was read back", newest, now, {
    missing: `the first is written at ${BACKUP_TIME_UTC} UTC; if none is by then, ${journal}`,
    stale: `${journal}; make one now: sudo systemctl start clickstream-backup`,
  });
}

async function listBackups(deployed: Subject["deployed"]): Promise<Map<string, Date>> {
  const Bucket = artifactsBucketName(deployed.config, await deployed.accountId());
  const written = new Map<string, Date>();
  const pages = paginateListObjectsV2(
    { client: deployed.clients.s3 },
    { Bucket, Prefix: `${backupsFolder("dwh")}/` },
  );
  for await (const { Contents } of pages)
    for (const { Key, LastModified } of Contents ?? []) written.set(Key as string, LastModified as Date);
  return written;
}

function inspectAge(
  what: string,
  newest: Date | undefined,
  now: Date,
  fix: { readonly missing: string; readonly stale: string },
): Condition {
  if (newest === undefined) return fails(`there is no ${what}`, fix.missing);
  const age = Math.max(now.getTime() - newest.getTime(), 0);
  const detail = `the newest ${what} is ${duration(age)} old`;
  return age <= STALE ? holds(detail) : fails(detail, fix.stale);
}
