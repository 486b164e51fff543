import { DescribeRuleCommand, ListTargetsByRuleCommand } from "@aws-sdk/client-eventbridge";
import {
  GetFunctionCommand,
  GetFunctionEventInvokeConfigCommand,
  GetPolicyCommand,
} from "@aws-sdk/client-lambda";
import {
  GetBucketEncryptionCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, ListQueuesCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { bundleFunction } from "../../functions/etl/bundle.js";
import { ACCOUNT_ID, type Account, only, PRIVATE_SUBNET } from "./account.js";

export function describeScheduler(account: () => Account): void {
  describe("5.4.4 and 5.4.5 say of the function and its schedule:", () => {
    it("SBW_Lamda_ETL in the private subnet with sg_Lambda_ETL", async () => {
      const configuration = await account().function();
      expect(configuration).to.include({ Runtime: "nodejs22.x", MemorySize: 1024, Timeout: 600 });
      expect(configuration.Architectures).to.deep.equal(["arm64"]);
      expect(configuration.VpcConfig?.SubnetIds).to.deep.equal([
        (await account().subnet(PRIVATE_SUBNET)).SubnetId,
      ]);
      const { GroupId } = await account().group("sg_Lambda_ETL");
      expect(configuration.VpcConfig?.SecurityGroupIds).to.deep.equal([GroupId]);
    });

    it("the seed's environment, without a secret and without what Lambda reserves", async () => {
      const { Environment } = await account().function();
      expect(Environment?.Variables).to.deep.equal({
        DWH_HOST: "10.0.128.10",
        DWH_PORT: "5432",
        DWH_USER: "etl_writer",
        DWH_PASSWORD_PARAMETER: "/clickstream/production/dwh/etl-writer-password",
        DWH_DATABASE: "clickstream_dw",
        DWH_SSL: "verify-full",
        DWH_SSL_CA_PARAMETER: "/clickstream/production/dwh/certificate",
        RAW_BUCKET: "clickstream-s3-ingest",
        ETL_LOOKBACK_HOURS: "72",
        POWERTOOLS_SERVICE_NAME: "SBW_Lamda_ETL",
        POWERTOOLS_METRICS_NAMESPACE: "Clickstream/ETL",
      });
    });

    it("the package that these sources make", async () => {
      const { Configuration } = await account().clients.lambda.send(
        new GetFunctionCommand({ FunctionName: "SBW_Lamda_ETL" }),
      );
      expect(Configuration?.CodeSha256).to.equal(bundleFunction().hash);
    });

    it("SBW_ETL_HOURLY_RULE, whose target it is and which alone may call it", async () => {
      const { FunctionArn } = await account().function();
      const rule = await account().clients.events.send(
        new DescribeRuleCommand({ Name: "SBW_ETL_HOURLY_RULE" }),
      );
      expect(rule).to.include({ ScheduleExpression: "rate(1 hour)", State: "ENABLED" });
      const { Targets } = await account().clients.events.send(
        new ListTargetsByRuleCommand({ Rule: "SBW_ETL_HOURLY_RULE" }),
      );
      expect(Targets?.map(({ Arn }) => Arn)).to.deep.equal([FunctionArn]);
      const { Policy } = await account().clients.lambda.send(
        new GetPolicyCommand({ FunctionName: "SBW_Lamda_ETL" }),
      );
      const statement = only<Record<string, unknown>>(JSON.parse(Policy ?? "{}").Statement);
      expect(statement).to.deep.include({
        Action: "lambda:InvokeFunction",
        Principal: { Service: "events.amazonaws.com" },
        Condition: { ArnLike: { "AWS:SourceArn": rule.Arn } },
      });
    });

    it("what fails for good goes to an encrypted queue", async () => {
      const { QueueUrls } = await account().clients.sqs.send(new ListQueuesCommand());
      const { Attributes } = await account().clients.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: only(QueueUrls), AttributeNames: ["All"] }),
      );
      expect(Attributes).to.include({ SqsManagedSseEnabled: "true" });
      const config = await account().clients.lambda.send(
        new GetFunctionEventInvokeConfigCommand({ FunctionName: "SBW_Lamda_ETL" }),
      );
      expect(config.DestinationConfig?.OnFailure?.Destination).to.equal(Attributes?.QueueArn);
    });

    it("alarms that all tell the one topic, and one that recovers the host", async () => {
      const topic = only(await account().clients.api.query("sns", { Action: "ListTopics" }, "TopicArn"));
      const found = await account().alarms();
      const facts = found.map(({ AlarmName, MetricName, AlarmActions }) => [
        AlarmName,
        MetricName,
        AlarmActions,
      ]);
      expect(facts).to.have.deep.members([
        [
          "SBW_EC2_ShinyDWH-recover",
          "StatusCheckFailed_System",
          ["arn:aws:automate:ap-southeast-1:ec2:recover"],
        ],
        ["SBW_Lamda_ETL-errors", "Errors", [topic]],
        ["SBW_Lamda_ETL-failures-queued", "ApproximateNumberOfMessagesVisible", [topic]],
        ["SBW_Lamda_ETL-no-load", "RunSucceeded", [topic]],
        ["SBW_Lamda_ETL-rejects", "RejectShare", [topic]],
        ["SBW_Lamda_ETL-duration", "Duration", [topic]],
      ]);
      const noLoad = only(found.filter(({ MetricName }) => MetricName === "RunSucceeded"));
      expect(noLoad).to.include({ Period: 3600, EvaluationPeriods: 3, TreatMissingData: "breaching" });
    });

    it("both buckets private, encrypted, versioned and reached over TLS only", async () => {
      for (const Bucket of ["clickstream-s3-ingest", `clickstream-production-artifacts-${ACCOUNT_ID}`]) {
        const encryption = await account().clients.s3.send(new GetBucketEncryptionCommand({ Bucket }));
        const rule = only(encryption.ServerSideEncryptionConfiguration?.Rules);
        expect(rule.ApplyServerSideEncryptionByDefault?.SSEAlgorithm).to.equal("AES256");
        expect((await account().clients.s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).to.equal(
          "Enabled",
        );
        const block = await account().clients.s3.send(new GetPublicAccessBlockCommand({ Bucket }));
        expect(Object.values(block.PublicAccessBlockConfiguration ?? {})).to.deep.equal([
          true,
          true,
          true,
          true,
        ]);
        const policy = JSON.parse(account().aws.standIn.bucketPolicies.get(Bucket) ?? "{}");
        expect(only<Record<string, unknown>>(policy.Statement)).to.deep.include({
          Effect: "Deny",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        });
      }
    });
  });
}
