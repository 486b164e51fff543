import { DescribeVpcEndpointsCommand, type VpcEndpoint } from "@aws-sdk/client-ec2";
import { endpointName, interfaceServices } from "../../stacks/names.js";
import type { Condition } from "../deployed/host.js";
import { inspectAgent, inspectInstance } from "../deployed/host.js";
import { type Check, fails, holds, type Subject } from "./check.js";

const instance: Check = { name: "instance", inspect: ({ deployed }) => inspectInstance(deployed) };
const agent: Check = { name: "session manager", inspect: ({ deployed }) => inspectAgent(deployed) };
const endpoints: Check = { name: "endpoints", inspect: inspectEndpoints };

/** The host, and the only ways from the private subnet to AWS. */
export const HOST_CHECKS: readonly Check[] = [instance, agent, endpoints];

async function inspectEndpoints({ deployed }: Subject): Promise<Condition> {
  const { config, clients } = deployed;
  const services = ["s3", ...interfaceServices(config)];
  const filter = { Name: "tag:Environment", Values: [config.environment] };
  const { VpcEndpoints } = await clients.ec2.send(new DescribeVpcEndpointsCommand({ Filters: [filter] }));
  const states = services.map((service) => ({
    service,
    state: stateOf(VpcEndpoints ?? [], endpointName(config, service)),
  }));
  const bad = states.filter(({ state }) => state !== "available");
  if (bad.length === 0) return holds(`${services.join(", ")} are available`);
  return fails(
    bad.map(({ service, state }) => `${service} is ${state ?? "not there"}`).join(", "),
    "deploy the endpoints stack; until then the function and the host reach no AWS service by that way",
  );
}

/** A deleted endpoint is listed for a while, beside the one that took its place. */
function stateOf(endpoints: readonly VpcEndpoint[], name: string): string | null {
  const named = endpoints.filter(({ Tags }) =>
    Tags?.some(({ Key, Value }) => Key === "Name" && Value === name),
  );
  const states = named.map(({ State }) => String(State).toLowerCase());
  return states.find((state) => state === "available") ?? states[0] ?? null;
}
