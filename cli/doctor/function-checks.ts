import { GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import {
  METRICS,
  METRICS_DIMENSION,
  METRICS_NAMESPACE,
  SWEEP_OVERDUE_HOURS,
} from "../../functions/etl/contract.js";
import type { Condition } from "../deployed/host.js";
import { count, duration, time } from "../shared/format.js";
import { absent, type Check, DAY, fails, HOUR, holds, type Subject } from "./check.js";
import { newestPoint } from "./metrics.js";

const ready: Check = { name: "function", inspect: inspectFunction };
const lastRun: Check = { name: "last run", inspect: inspectLastRun };
const freshness: Check = { name: "freshness", inspect: inspectFreshness };
const sweep: Check = { name: "sweep", inspect: inspectSweep };
const queue: Check = { name: "failure queue", inspect: inspectQueue };

/** The function, and what its runs left behind. */
export const FUNCTION_CHECKS: readonly Check[] = [ready, lastRun, freshness, sweep, queue];

async function inspectFunction({ deployed }: Subject): Promise<Condition> {
  const FunctionName = await deployed.output("scheduler", "function_name");
  const fix = "deploy the scheduler stack";
  const command = new GetFunctionConfigurationCommand({ FunctionName });
  const configuration = await deployed.clients.lambda.send(command).catch(absent);
  if (configuration === null) return fails(`${FunctionName} is not there`, fix);
  const { State, StateReason, LastUpdateStatus, LastUpdateStatusReason } = configuration;
  if (State !== "Active" && State !== "Inactive")
    return fails(`${FunctionName} is ${State}: ${StateReason ?? "no reason given"}`, fix);
  if (LastUpdateStatus === "Failed")
    return fails(`the last update of ${FunctionName} failed: ${LastUpdateStatusReason}`, fix);
  return holds(`${FunctionName} is ${State.toLowerCase()}`);
}

/** Lambda's own count of errors, which also sees a run that ended before it could say anything. */
async function inspectLastRun({ deployed, now }: Subject): Promise<Condition> {
  const { clients, config } = deployed;
  const name = await deployed.output("scheduler", "function_name");
  const point = await newestPoint(clients.cloudwatch, {
    namespace: "AWS/Lambda",
    metric: "Errors",
    dimensions: { FunctionName: name },
    from: new Date(now.getTime() - DAY),
    to: now,
  });
  if (point === null)
    return fails(
      `${name} was not invoked for 24 h`,
      `see the line "schedule", or start it: npm run backfill`,
    );
  const ago = `${duration(now.getTime() - point.at.getTime())} ago (${time(point.at)})`;
  if (point.sum === 0) return holds(`succeeded ${ago}`);
  return fails(
    `failed ${ago}`,
    `read its reason: aws logs tail /aws/lambda/${name} --region ${config.region} --since 1h --filter-pattern ERROR`,
  );
}

async function inspectFreshness({ deployed, now }: Subject): Promise<Condition> {
  const { clients, config } = deployed;
  const limit = config.alarmNoLoadHours;
  const name = await deployed.output("scheduler", "function_name");
  const point = await newestPoint(clients.cloudwatch, {
    namespace: METRICS_NAMESPACE,
    metric: METRICS.runSucceeded,
    dimensions: { [METRICS_DIMENSION]: name },
    from: new Date(now.getTime() - DAY),
    to: now,
    atLeast: 1,
  });
  const age = point === null ? null : now.getTime() - point.at.getTime();
  if (age !== null && age <= limit * HOUR)
    return holds(`loaded ${duration(age)} ago, at most ${limit} h allowed`);
  return fails(
    age === null
      ? "no run loaded the warehouse for 24 h"
      : `loaded ${duration(age)} ago, at most ${limit} h allowed`,
    `fix what fails above; the next scheduled run loads the last ${config.lookbackHours} h, npm run backfill what is older`,
  );
}

/** Whether what came late has been looked for; as the function said last. */
async function inspectSweep({ deployed, now }: Subject): Promise<Condition> {
  const name = await deployed.output("scheduler", "function_name");
  const point = await newestPoint(deployed.clients.cloudwatch, {
    namespace: METRICS_NAMESPACE,
    metric: METRICS.sweepAge,
    dimensions: { [METRICS_DIMENSION]: name },
    from: new Date(now.getTime() - DAY),
    to: now,
  });
  if (point === null)
    return fails("no run has looked back for 24 h", 'see the lines "schedule" and "last run"');
  const age = point.maximum * 1000 + now.getTime() - point.at.getTime();
  const detail = `the whole look-back was last swept ${duration(age)} ago, at most ${SWEEP_OVERDUE_HOURS} h allowed`;
  if (age <= SWEEP_OVERDUE_HOURS * HOUR) return holds(detail);
  return fails(
    detail,
    "the next runs go on with it; when they are cut short each time, give the function more memory or time",
  );
}

async function inspectQueue({ deployed }: Subject): Promise<Condition> {
  const QueueUrl = await deployed.output("scheduler", "failure_queue_url");
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] });
  const { Attributes } = await deployed.clients.sqs.send(command);
  const waiting = names.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
  if (waiting === 0) return holds("empty");
  return fails(
    `${count(waiting)} ${waiting === 1 ? "invocation" : "invocations"} failed after every retry`,
    `see why: aws sqs receive-message --region ${deployed.config.region} --queue-url ${QueueUrl}; load the window with npm run backfill, then aws sqs purge-queue`,
  );
}
