import {
  DeleteAlarmsCommand,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { StartInstancesCommand, StopInstancesCommand } from "@aws-sdk/client-ec2";
import {
  DisableRuleCommand,
  EnableRuleCommand,
  ListTargetsByRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { ListSubscriptionsCommand, UnsubscribeCommand } from "@aws-sdk/client-sns";
import { GetQueueUrlCommand, PurgeQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DeleteParameterCommand } from "@aws-sdk/client-ssm";
import { expect } from "chai";
import { type Deployed, openDeployed } from "../../../cli/deployed/deployed.js";
import { CHECKS, examine, type Finding } from "../../../cli/doctor/doctor.js";
import { type Account, only } from "../../../testing/aws/account.js";
import {
  ARTIFACTS_BUCKET,
  CERTIFICATE,
  DUMP,
  HOST,
  publishCertificate,
  publishRun,
  putCertificate,
  setAgent,
  subscribe,
} from "../../../testing/aws/healthy.js";
import type { Operator } from "../../../testing/aws/operator.js";

const RULE = "SBW_ETL_HOURLY_RULE";
const HOUR = 3_600_000;

/** Every test breaks one promise of a well environment and keeps it again afterwards. */
export function describeDoctor(operator: () => Operator): void {
  describe("doctor", () => {
    let account: Account;
    let deployed: Deployed;

    before(() => {
      account = operator().account;
      deployed = openDeployed(account.aws.output, operator().env, account.clients);
    });

    /** What does not hold, `hoursLater` than it is. */
    async function findings({ hoursLater = 0, seenBy = deployed } = {}): Promise<Finding[]> {
      const now = new Date(Date.now() + hoursLater * HOUR);
      const all = await examine({ deployed: seenBy, now });
      expect(all.map(({ check }) => check)).to.deep.equal(CHECKS.map(({ name }) => name));
      return all.filter(({ status }) => status !== "holds");
    }

    /** The only thing that does not hold. */
    async function fault(options: Parameters<typeof findings>[0] = {}): Promise<string> {
      const { check, detail, fix } = only(await findings(options));
      return `${check}: ${detail} → ${fix}`;
    }

    it("finds nothing wrong with a well environment: a line for each check, exit 0", async () => {
      const { code, stdout } = await operator().run("doctor");
      expect(code, stdout).to.equal(0);
      expect(stdout.match(/^✔ /gm)).to.have.length(CHECKS.length);
      expect(stdout).to.include(`All ${CHECKS.length} checks hold.`);
    });

    it("a stopped instance, with the command that starts it, exit 1, and the same as JSON", async () => {
      const InstanceIds = [only(await account.instances()).InstanceId as string];
      await account.clients.ec2.send(new StopInstancesCommand({ InstanceIds }));
      const text = await operator().run("doctor");
      const json = await operator().run("doctor", "--json");
      await account.clients.ec2.send(new StartInstancesCommand({ InstanceIds }));
      const fix = `aws ec2 start-instances --region ap-southeast-1 --instance-ids ${InstanceIds[0]}`;
      expect(text.stdout)
        .to.match(/^✘ instance .* is stopped → aws ec2 start-instances/m)
        .and.include(fix);
      expect([text.code, json.code]).to.deep.equal([1, 1]);
      const report: { holds: boolean; checks: Finding[] } = JSON.parse(json.stdout);
      expect(report.holds).to.equal(false);
      expect(only(report.checks.filter(({ status }) => status !== "holds"))).to.include({
        check: "instance",
        fix,
      });
    });

    it("an agent that is not online, or never was", async () => {
      await setAgent(account, "ConnectionLost");
      expect(await fault()).to.match(
        /^session manager: .* ConnectionLost, last heard of 2026-01-01 00:00:00Z/,
      );
      await setAgent(account, null);
      expect(await fault()).to.match(/^session manager: i-\w+ has never registered/);
      await setAgent(account, "Online");
    });

    it("a rule that is disabled, or starts nothing", async () => {
      await account.clients.events.send(new DisableRuleCommand({ Name: RULE }));
      expect(await fault()).to.match(
        /^schedule: .* is disabled → aws events enable-rule .*--name SBW_ETL_HOURLY_RULE$/,
      );
      await account.clients.events.send(new EnableRuleCommand({ Name: RULE }));
      const { Targets } = await account.clients.events.send(new ListTargetsByRuleCommand({ Rule: RULE }));
      const Ids = Targets?.map(({ Id }) => Id as string);
      await account.clients.events.send(new RemoveTargetsCommand({ Rule: RULE, Ids }));
      expect(await fault()).to.match(/^schedule: .* does not start SBW_Lamda_ETL → deploy/);
      await account.clients.events.send(new PutTargetsCommand({ Rule: RULE, Targets }));
    });

    it("an alarm that is raised, or tells nobody", async () => {
      const AlarmName = "SBW_Lamda_ETL-rejects";
      const setState = (StateValue: "ALARM" | "OK") =>
        account.clients.cloudwatch.send(
          new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: "test" }),
        );
      await setState("ALARM");
      expect(await fault()).to.match(
        /^alarms: SBW_Lamda_ETL-rejects: More than 5 % of a run's events were rejected →/,
      );
      await setState("OK");
      const [alarm] = (await account.alarms()).filter((each) => each.AlarmName === AlarmName);
      const put = (ActionsEnabled: boolean) =>
        account.clients.cloudwatch.send(
          new PutMetricAlarmCommand({ ...(alarm as PutMetricAlarmCommandInput), ActionsEnabled }),
        );
      await put(false);
      expect(await fault()).to.match(
        /^alarms: nobody is notified of SBW_Lamda_ETL-rejects → .*enable-alarm-actions/,
      );
      await put(true);
    });

    it("not the alarms of another environment, whose names begin with this one's", async () => {
      const [alarm] = (await account.alarms()).filter(
        ({ AlarmName }) => AlarmName === "SBW_Lamda_ETL-rejects",
      );
      const AlarmName = "SBW_Lamda_ETL-staging-rejects";
      const { AlarmActions = [] } = alarm as PutMetricAlarmCommandInput;
      const theirs = AlarmActions.map((arn) => arn.replace("SBW_Lamda_ETL", "SBW_Lamda_ETL-staging"));
      await account.clients.cloudwatch.send(
        new PutMetricAlarmCommand({
          ...(alarm as PutMetricAlarmCommandInput),
          AlarmName,
          AlarmActions: theirs,
          ActionsEnabled: false,
        }),
      );
      const found = await findings();
      await account.clients.cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: [AlarmName] }));
      expect(found).to.deep.equal([]);
    });

    it("alarms that nobody is subscribed to", async () => {
      const { sns } = account.clients;
      const { Subscriptions } = await sns.send(new ListSubscriptionsCommand());
      const SubscriptionArn = only(Subscriptions).SubscriptionArn as string;
      await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
      expect(await fault()).to.match(
        /^alarms: nobody is subscribed to the alarms → set alarmEmail and deploy, or aws sns/,
      );
      await subscribe(account);
    });

    it("a host whose disk fills up and whose backup failed, by what it says of itself", async () => {
      await publishRun(account, {
        errors: 0,
        minutesAgo: 9,
        host: { ...HOST, dataUsed: 91, failedUnits: 1 },
      });
      expect(await fault()).to.match(
        /^host state: the data volume is 91 % full, 1 unit failed → raise warehouseDataGb and deploy; see which/,
      );
      await publishRun(account, { errors: 0, minutesAgo: 7 });
      expect(await findings()).to.deep.equal([]);
    });

    it("a failed run, until one succeeds again", async () => {
      await publishRun(account, { errors: 1, minutesAgo: 5 });
      expect(await fault()).to.match(
        /^last run: failed [4-9] min .* → .*aws logs tail \/aws\/lambda\/SBW_Lamda_ETL/,
      );
      await publishRun(account, { errors: 0, minutesAgo: 3 });
      expect(await findings()).to.deep.equal([]);
    });

    it("a warehouse that was not loaded for longer than alarmNoLoadHours", async () => {
      expect(await findings({ hoursLater: 2 })).to.deep.equal([]);
      expect(await fault({ hoursLater: 4 })).to.match(
        /^freshness: loaded 4 h \d+ min ago, at most 3 h allowed →/,
      );
    });

    it("an invocation that waits in the failure queue", async () => {
      const { sqs } = account.clients;
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: "SBW_Lamda_ETL-failures" }));
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "{}" }));
      expect(await fault()).to.match(
        /^failure queue: 1 invocation failed after every retry → .*receive-message/,
      );
      await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    });

    it("a certificate that nears its end, is none, or is gone", async () => {
      await publishCertificate(account, 100);
      expect(await fault()).to.match(/^certificate: .* ends in (99|100) d .* → on the host:/);
      expect(
        (await findings({ hoursLater: 101 * 24 })).find(({ check }) => check === "certificate")?.detail,
      ).to.match(/expired/);
      await putCertificate(account, "not published yet");
      expect(await fault()).to.match(/^certificate: .* holds no certificate/);
      await account.clients.ssm.send(new DeleteParameterCommand({ Name: CERTIFICATE }));
      expect(await fault()).to.match(/^certificate: .* is not there → deploy the warehouse stack/);
      await publishCertificate(account, 3650);
    });

    it("a dump without its .sha256 counts for nothing", async () => {
      const Key = `${DUMP}.sha256`;
      await account.clients.s3.send(new DeleteObjectCommand({ Bucket: ARTIFACTS_BUCKET, Key }));
      expect(await fault()).to.match(/^backups: there is no dump that was read back → .*18:30 UTC/);
      await account.clients.s3.send(new PutObjectCommand({ Bucket: ARTIFACTS_BUCKET, Key, Body: "sum" }));
    });

    it("snapshots and dumps older than a day", async () => {
      const old = await findings({ hoursLater: 27 });
      const detailOf = (name: string) => old.find(({ check }) => check === name)?.detail;
      expect(detailOf("snapshots")).to.match(/^the newest snapshot of the data volume is 1 d 3 h old/);
      expect(detailOf("backups")).to.match(/^the newest dump that was read back is 1 d 3 h old/);
      expect((await findings({ hoursLater: 25 })).map(({ check }) => check)).to.not.include("snapshots");
    });

    it("what cannot be asked hides nothing else", async () => {
      const sqs = new SQSClient({
        ...CLOSED,
        region: account.aws.region,
        credentials: account.aws.credentials,
      });
      const seenBy = { ...deployed, clients: { ...deployed.clients, sqs } };
      const finding = only(await findings({ seenBy }));
      expect(finding).to.include({ check: "failure queue", status: "unknown" });
      expect(finding.detail).to.include("AWS cannot be reached");
    });
  });
}

/** Nothing listens on port 1. */
const CLOSED = { endpoint: "http://127.0.0.1:1", maxAttempts: 1 };
