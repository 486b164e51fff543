import { execFileSync, type StdioOptions } from "node:child_process";
import { PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { CreateSnapshotCommand, DescribeVolumesCommand } from "@aws-sdk/client-ec2";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { ListTopicsCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { HOST_METRICS, METRICS, METRICS_DIMENSION, METRICS_NAMESPACE } from "../../functions/etl/contract.js";
import { ACCOUNT_ID, type Account, named, only } from "./account.js";

export const CERTIFICATE = "/clickstream/production/dwh/certificate";
export const ARTIFACTS_BUCKET = `clickstream-production-artifacts-${ACCOUNT_ID}`;
export const DUMP = "backups/dwh/clickstream_dw-2026-01-01T183000Z.dump";
const MINUTE = 60_000;

/** What a day of service leaves behind, which nothing in the emulator does by itself. */
export async function serveForADay(account: Account): Promise<void> {
  await setAgent(account, "Online");
  await subscribe(account);
  await publishRun(account, { errors: 0, minutesAgo: 20 });
  await publishCertificate(account, 3650);
  const { Volumes } = await account.clients.ec2.send(new DescribeVolumesCommand());
  const { VolumeId } = named(Volumes, "SBW_EC2_ShinyDWH-data");
  const Tags = [{ Key: "DailySnapshot", Value: "SBW_EC2_ShinyDWH" }];
  await account.clients.ec2.send(
    new CreateSnapshotCommand({ VolumeId, TagSpecifications: [{ ResourceType: "snapshot", Tags }] }),
  );
  for (const Key of [DUMP, `${DUMP}.sha256`])
    await account.clients.s3.send(new PutObjectCommand({ Bucket: ARTIFACTS_BUCKET, Key, Body: Key }));
}

/** A person reads the alarms. */
export async function subscribe(account: Account): Promise<string> {
  const { sns } = account.clients;
  const { Topics } = await sns.send(new ListTopicsCommand());
  const command = new SubscribeCommand({
    TopicArn: only(Topics).TopicArn as string,
    Protocol: "email",
    Endpoint: "data@example.com",
  });
  return (await sns.send(command)).SubscriptionArn as string;
}

/** The host's agent as Systems Manager lists it, or not at all. */
export async function setAgent(account: Account, status: "Online" | "ConnectionLost" | null): Promise<void> {
  const { agents } = account.aws.standIn;
  const id = only(await account.instances()).InstanceId as string;
  const LastPingDateTime = Date.UTC(2026, 0, 1) / 1000;
  if (status === null) agents.delete(id);
  else agents.set(id, { PingStatus: status, AgentVersion: "3.3.2299.0", LastPingDateTime });
}

/** What a host that is well says of itself. */
export const HOST = {
  stateAge: 60,
  dataUsed: 40,
  rootUsed: 30,
  memoryUsed: 60,
  connectionsUsed: 10,
  failedUnits: 0,
  backupAge: 3600,
  deadRows: 3,
  certificateLeft: 300,
  load: 0.4,
  wal: 80_000_000,
};

/** The metrics of one run: Lambda's own, and the function's, which a failed one does not get to. */
export async function publishRun(
  account: Account,
  { errors, minutesAgo, host = HOST }: { errors: 0 | 1; minutesAgo: number; host?: typeof HOST },
): Promise<void> {
  const Timestamp = new Date(Date.now() - minutesAgo * MINUTE);
  const put = (Namespace: string, MetricName: string, dimension: string, Value: number) => {
    const Dimensions = [{ Name: dimension, Value: "SBW_Lamda_ETL" }];
    const MetricData = [{ MetricName, Dimensions, Value, Timestamp }];
    return account.clients.cloudwatch.send(new PutMetricDataCommand({ Namespace, MetricData }));
  };
  await put("AWS/Lambda", "Errors", "FunctionName", errors);
  if (errors === 1) return;
  await put(METRICS_NAMESPACE, METRICS.runSucceeded, METRICS_DIMENSION, 1);
  await put(METRICS_NAMESPACE, METRICS.sweepAge, METRICS_DIMENSION, 3600);
  for (const [name, value] of Object.entries(host))
    await put(METRICS_NAMESPACE, HOST_METRICS[name as keyof typeof HOST_METRICS], METRICS_DIMENSION, value);
}

/** A certificate that ends in so many days, as the host would publish it. */
export async function publishCertificate(account: Account, days: number): Promise<void> {
  const stdio: StdioOptions = ["ignore", "pipe", "ignore"];
  await putCertificate(
    account,
    execFileSync("openssl", [...OPENSSL, String(days)], { encoding: "utf8", stdio }),
  );
}

export async function putCertificate(account: Account, Value: string): Promise<void> {
  const command = new PutParameterCommand({ Name: CERTIFICATE, Value, Type: "String", Overwrite: true });
  await account.clients.ssm.send(command);
}

const OPENSSL = [
  ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
  ...["-keyout", "/dev/null", "-subj", "/CN=clickstream_dw", "-days"],
];
