import {
  DescribeFlowLogsCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVolumesCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
} from "@aws-sdk/client-ec2";
import { ListRulesCommand } from "@aws-sdk/client-eventbridge";
import { ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { ListQueuesCommand } from "@aws-sdk/client-sqs";
import type { Account } from "./account.js";

/** What there still is of all that the stacks make, by AWS's own account. */
export async function leftovers(account: Account): Promise<unknown[]> {
  const { aws, clients } = account;
  const { ec2, s3, lambda, events, sqs, api } = clients;
  const [vpcs, interfaces, endpoints, volumes, flowLogs] = await Promise.all([
    ec2.send(new DescribeVpcsCommand()),
    ec2.send(new DescribeNetworkInterfacesCommand()),
    ec2.send(new DescribeVpcEndpointsCommand()),
    ec2.send(new DescribeVolumesCommand()),
    ec2.send(new DescribeFlowLogsCommand()),
  ]);
  const found = await Promise.all([
    account.instances(),
    account.alarms(),
    s3.send(new ListBucketsCommand()).then(({ Buckets }) => Buckets),
    lambda.send(new ListFunctionsCommand()).then(({ Functions }) => Functions),
    events.send(new ListRulesCommand()).then(({ Rules }) => Rules),
    sqs.send(new ListQueuesCommand()).then(({ QueueUrls }) => QueueUrls),
    account.parameters(),
    api.query("iam", { Action: "ListRoles" }, "RoleName"),
    api.query("iam", { Action: "ListInstanceProfiles" }, "InstanceProfileName"),
    api.query("sns", { Action: "ListTopics" }, "TopicArn"),
    api.logGroups(),
  ]);
  return [
    ...(vpcs.Vpcs ?? []).filter(({ IsDefault }) => !IsDefault),
    // moto keeps the interface of a terminated instance; AWS would not let go of its subnet then
    ...(interfaces.NetworkInterfaces ?? []).filter(({ Attachment }) => Attachment?.InstanceId === undefined),
    ...(endpoints.VpcEndpoints ?? []).filter(({ State }) => String(State) !== "deleted"),
    ...(volumes.Volumes ?? []),
    ...(flowLogs.FlowLogs ?? []),
    ...aws.standIn.dlm.values(),
    ...aws.standIn.bucketPolicies.values(),
    ...found.flatMap((things: unknown[] | undefined) => things ?? []),
  ];
}
