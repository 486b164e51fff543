import { CloudWatchClient, DescribeAlarmsCommand, type MetricAlarm } from "@aws-sdk/client-cloudwatch";
import {
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
  EC2Client,
  type Instance,
  type Subnet,
  type Tag,
  type Vpc,
  type VpcEndpoint,
} from "@aws-sdk/client-ec2";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DescribeParametersCommand, type ParameterMetadata, SSMClient } from "@aws-sdk/client-ssm";
import { awsApi } from "./api.js";
import type { AwsEmulator } from "./emulator.js";

/** The emulator's only account. */
export const ACCOUNT_ID = "123456789012";
export const PRIVATE_SUBNET = "SBW_Project-subnet-private1-ap-southeast-1a";

/** What is deployed, as the AWS SDK sees it. */
export class Account {
  readonly clients: ReturnType<typeof createClients>;

  constructor(readonly aws: AwsEmulator) {
    this.clients = createClients(aws);
  }

  async vpc(): Promise<Vpc> {
    return named((await this.clients.ec2.send(new DescribeVpcsCommand())).Vpcs, "SBW_Project_VPC");
  }

  async subnet(name: string): Promise<Subnet> {
    return named((await this.clients.ec2.send(new DescribeSubnetsCommand())).Subnets, name);
  }

  async s3Endpoint(): Promise<VpcEndpoint> {
    const { VpcEndpoints } = await this.clients.ec2.send(new DescribeVpcEndpointsCommand());
    return only(VpcEndpoints?.filter(({ VpcEndpointType }) => VpcEndpointType === "Gateway"));
  }

  /** Those that are not terminated. */
  async instances(): Promise<Instance[]> {
    const { Reservations } = await this.clients.ec2.send(new DescribeInstancesCommand());
    const instances = (Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
    return instances.filter(({ State }) => State?.Name !== "terminated");
  }

  /** The project's own: AWS's public ones are in the emulator's list too. */
  async parameters(): Promise<ParameterMetadata[]> {
    const own = { Key: "Name", Option: "BeginsWith", Values: ["/clickstream/"] };
    const command = new DescribeParametersCommand({ ParameterFilters: [own], MaxResults: 50 });
    return (await this.clients.ssm.send(command)).Parameters ?? [];
  }

  async alarms(): Promise<MetricAlarm[]> {
    return (await this.clients.cloudwatch.send(new DescribeAlarmsCommand())).MetricAlarms ?? [];
  }
}

function createClients({ standIn, region, credentials }: AwsEmulator) {
  const options = { endpoint: standIn.url, region, credentials };
  return {
    ec2: new EC2Client(options),
    lambda: new LambdaClient(options),
    events: new EventBridgeClient(options),
    s3: new S3Client({ ...options, forcePathStyle: true }),
    sfn: new SFNClient(options),
    sns: new SNSClient(options),
    sqs: new SQSClient(options),
    ssm: new SSMClient(options),
    cloudwatch: new CloudWatchClient(options),
    api: awsApi(standIn.url),
  };
}

function nameOf({ Tags }: { Tags?: Tag[] | undefined }): string | undefined {
  return Tags?.find(({ Key }) => Key === "Name")?.Value;
}

/** The one of `things` with this `Name` tag. */
export function named<T extends { Tags?: Tag[] | undefined }>(
  things: readonly T[] | undefined,
  name: string,
): T {
  return only((things ?? []).filter((thing) => nameOf(thing) === name));
}

/** The only element. @throws when there is none, or another */
export function only<T>(things: readonly T[] | undefined): T {
  const [one, ...others] = things ?? [];
  if (one === undefined || others.length > 0) throw new Error(`Expected one, found ${things?.length ?? 0}.`);
  return one;
}
