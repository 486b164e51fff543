import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { EC2Client } from "@aws-sdk/client-ec2";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { LambdaClient } from "@aws-sdk/client-lambda";
import type { S3Client } from "@aws-sdk/client-s3";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { createS3Client } from "../../connect/clients.js";
import { type Env, readAwsEnvironment } from "../../connect/environment.js";

/** The services that the deployed environment is looked at through. */
export interface Clients {
  readonly cloudwatch: CloudWatchClient;
  readonly ec2: EC2Client;
  readonly events: EventBridgeClient;
  readonly lambda: LambdaClient;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
  readonly ssm: SSMClient;
}

const TIMEOUTS = { connectionTimeout: 5_000, requestTimeout: 15_000, throwOnRequestTimeout: true };

/** Credentials come from the SDK's default chain, the endpoints of an emulator from `AWS_ENDPOINT_URL`. */
export function createClients(region: string, env: Env): Clients {
  const aws = readAwsEnvironment({ ...env, AWS_REGION: region });
  const options = {
    region,
    requestHandler: TIMEOUTS,
    ...(aws.endpoint === null ? {} : { endpoint: aws.endpoint }),
  };
  return {
    cloudwatch: new CloudWatchClient(options),
    ec2: new EC2Client(options),
    events: new EventBridgeClient(options),
    lambda: new LambdaClient(options),
    s3: createS3Client(aws),
    sfn: new SFNClient(options),
    sns: new SNSClient(options),
    sqs: new SQSClient(options),
    ssm: new SSMClient(options),
  };
}
