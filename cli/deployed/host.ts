import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { DescribeInstanceInformationCommand } from "@aws-sdk/client-ssm";
import { time } from "../shared/format.js";
import type { Deployed } from "./deployed.js";

/** A part of the host that is as it should be, or what is wrong with it and what to do. */
export type Condition =
  | { readonly holds: true; readonly detail: string }
  | { readonly holds: false; readonly detail: string; readonly fix: string };

/** Whether the warehouse's instance runs. */
export async function inspectInstance(deployed: Deployed): Promise<Condition> {
  const { config, clients } = deployed;
  const id = await deployed.output("warehouse", "instance_id");
  const state = await instanceState(clients.ec2, id);
  if (state === "running") return { holds: true, detail: `${config.warehouseName} (${id}) is running` };
  if (state === null || state === "terminated")
    return {
      holds: false,
      detail: `${config.warehouseName} (${id}) no longer exists`,
      fix: "deploy the warehouse stack; the new host finds the data volume",
    };
  return {
    holds: false,
    detail: `${config.warehouseName} (${id}) is ${state}`,
    fix: `aws ec2 start-instances --region ${config.region} --instance-ids ${id}`,
  };
}

async function instanceState(ec2: Deployed["clients"]["ec2"], id: string): Promise<string | null> {
  const command = new DescribeInstancesCommand({ InstanceIds: [id] });
  const answer = await ec2.send(command).catch((error: Error) => {
    if (error.name === "InvalidInstanceID.NotFound") return null;
    throw error;
  });
  return answer?.Reservations?.[0]?.Instances?.[0]?.State?.Name ?? null;
}

/** Whether Session Manager reaches the warehouse's instance. */
export async function inspectAgent(deployed: Deployed): Promise<Condition> {
  const id = await deployed.output("warehouse", "instance_id");
  const filter = { Key: "InstanceIds", Values: [id] };
  const command = new DescribeInstanceInformationCommand({ Filters: [filter] });
  const [agent] = (await deployed.clients.ssm.send(command)).InstanceInformationList ?? [];
  if (agent?.PingStatus === "Online")
    return { holds: true, detail: `Session Manager reaches it, agent ${agent.AgentVersion}` };
  const fix =
    "see that the ssm, ssmmessages and ec2messages endpoints are available (npm run doctor), then reboot the instance";
  if (agent === undefined)
    return { holds: false, detail: `${id} has never registered with Systems Manager`, fix };
  const heard = time(agent.LastPingDateTime ?? null);
  return {
    holds: false,
    detail: `${id} is not online in Systems Manager: ${agent.PingStatus}, last heard of ${heard}`,
    fix,
  };
}
