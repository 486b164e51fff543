import { DescribeAlarmsCommand, type MetricAlarm } from "@aws-sdk/client-cloudwatch";
import { DescribeRuleCommand, ListTargetsByRuleCommand } from "@aws-sdk/client-eventbridge";
import { ListSubscriptionsByTopicCommand } from "@aws-sdk/client-sns";
import type { Condition } from "../deployed/host.js";
import { absent, type Check, fails, holds, type Subject } from "./check.js";

const schedule: Check = { name: "schedule", inspect: inspectRule };
const alarms: Check = { name: "alarms", inspect: inspectAlarms };

/** What starts the function, and what watches it. */
export const SCHEDULE_CHECKS: readonly Check[] = [schedule, alarms];

async function inspectRule({ deployed }: Subject): Promise<Condition> {
  const { clients, config } = deployed;
  const Name = config.ruleName;
  const name = await deployed.output("scheduler", "function_name");
  const rule = await clients.events.send(new DescribeRuleCommand({ Name })).catch(absent);
  const deploy = "deploy the scheduler stack";
  if (rule === null) return fails(`the rule ${Name} is not there`, deploy);
  if (rule.State === "DISABLED")
    return fails(
      `the rule ${Name} is disabled`,
      `aws events enable-rule --region ${config.region} --name ${Name}`,
    );
  const { Targets } = await clients.events.send(new ListTargetsByRuleCommand({ Rule: Name }));
  if (!Targets?.some(({ Arn }) => Arn?.endsWith(`:function:${name}`)))
    return fails(`the rule ${Name} does not start ${name}`, deploy);
  return holds(`${Name} starts ${name}, ${rule.ScheduleExpression}`);
}

/** Those that tell this environment's topic, and the host's own, which recovers it. */
async function inspectAlarms({ deployed }: Subject): Promise<Condition> {
  const { config } = deployed;
  const functionName = await deployed.output("scheduler", "function_name");
  const topic = await deployed.output("scheduler", "alarm_topic_arn");
  // Another environment's names may begin with this one's.
  const ofFunction = (await alarmsOf(deployed, `${functionName}-`)).filter(({ AlarmActions }) =>
    AlarmActions?.includes(topic),
  );
  const all = [...ofFunction, ...(await alarmsOf(deployed, `${config.warehouseName}-recover`))];
  if (ofFunction.length === 0) return fails(`${functionName} has no alarm`, "deploy the scheduler stack");
  const raised = all.filter(({ StateValue }) => StateValue === "ALARM");
  if (raised.length > 0)
    return fails(
      raised.map(({ AlarmName, AlarmDescription }) => `${AlarmName}: ${AlarmDescription}`).join("; "),
      "fix what the other lines name; the alarm then clears by itself",
    );
  const muted = all
    .filter(({ ActionsEnabled }) => ActionsEnabled === false)
    .map(({ AlarmName }) => AlarmName);
  if (muted.length > 0)
    return fails(
      `nobody is notified of ${muted.join(", ")}`,
      `aws cloudwatch enable-alarm-actions --region ${config.region} --alarm-names ${muted.join(" ")}`,
    );
  return (await inspectSubscriptions(deployed, topic)) ?? holds(`all ${all.length} are quiet`);
}

/** An alarm that nobody reads is none. Null: somebody does. */
async function inspectSubscriptions(
  deployed: Subject["deployed"],
  TopicArn: string,
): Promise<Condition | null> {
  const { Subscriptions = [] } = await deployed.clients.sns.send(
    new ListSubscriptionsByTopicCommand({ TopicArn }),
  );
  if (Subscriptions.some(({ SubscriptionArn }) => SubscriptionArn?.startsWith("arn:"))) return null;
  return Subscriptions.length > 0
    ? fails(
        "nobody has confirmed the subscription of the alarms",
        "follow the link in AWS's e-mail to alarmEmail",
      )
    : fails(
        "nobody is subscribed to the alarms",
        `set alarmEmail and deploy, or aws sns subscribe --region ${deployed.config.region} --topic-arn ${TopicArn} …`,
      );
}

async function alarmsOf({ clients }: Subject["deployed"], AlarmNamePrefix: string): Promise<MetricAlarm[]> {
  const command = new DescribeAlarmsCommand({ AlarmNamePrefix, AlarmTypes: ["MetricAlarm"] });
  return (await clients.cloudwatch.send(command)).MetricAlarms ?? [];
}
