import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { LAKE_FOLDER, METRICS, METRICS_DIMENSION, METRICS_NAMESPACE } from "../../functions/etl/contract.js";
import { lakeBucketName } from "../../stacks/names.js";
import type { Condition } from "../deployed/host.js";
import { count } from "../shared/format.js";
import { type Check, DAY, fails, holds, type Subject } from "./check.js";
import { newestPoint } from "./metrics.js";

const lake: Check = { name: "lake", inspect: inspectLake };

/** The files for years to come. */
export const LAKE_CHECKS: readonly Check[] = [lake];

/** Days that wait are written one run after the other: so many are the work of more than a day of runs that failed. */
const MOST_WAITING = 3;

/** Whether its bucket is there, and whether runs keep up with the days; as the function said last. */
async function inspectLake(subject: Subject): Promise<Condition> {
  const { clients, config, accountId } = subject.deployed;
  if (!config.lake) return holds("off");
  const Bucket = lakeBucketName(config, await accountId());
  const command = new ListObjectsV2Command({ Bucket, Prefix: `${LAKE_FOLDER}/`, MaxKeys: 1 });
  const listed = await clients.s3.send(command).catch((error: Error) => {
    if (error.name === "NoSuchBucket") return null;
    throw error;
  });
  if (listed === null)
    return fails(`its bucket ${Bucket} is not there`, "make it, or set lakeBucket to the one there is");
  const waiting = await newestOf(subject, METRICS.lakeDaysWaiting);
  if (waiting === null)
    return fails("no run has looked at it for 24 h", 'see the lines "schedule" and "last run"');
  const detail = `closed days to be written: ${count(waiting)}`;
  if ((await newestOf(subject, METRICS.lakeExportFailed)) === 1)
    return fails(
      `a day could not be written, ${detail}`,
      "the run's errors say why: npm run etl:local -- runs list",
    );
  if (waiting <= MOST_WAITING) return holds(detail);
  return fails(
    detail,
    "the next runs go on with them; when they stay, give the function more memory or time",
  );
}

async function newestOf({ deployed, now }: Subject, metric: string): Promise<number | null> {
  const name = await deployed.output("scheduler", "function_name");
  const point = await newestPoint(deployed.clients.cloudwatch, {
    namespace: METRICS_NAMESPACE,
    metric,
    dimensions: { [METRICS_DIMENSION]: name },
    from: new Date(now.getTime() - DAY),
    to: now,
  });
  return point?.maximum ?? null;
}
