import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

/** A managed node's agent, as Systems Manager shows it. */
export interface Agent {
  readonly PingStatus: "Online" | "ConnectionLost" | "Inactive";
  readonly AgentVersion: string;
  /** Seconds since 1970. */
  readonly LastPingDateTime: number;
}

/** The agents that have registered, by instance id. */
export type Agents = Map<string, Agent>;

export function isAgentQuestion({ headers }: IncomingMessage): boolean {
  return headers["x-amz-target"] === "AmazonSSM.DescribeInstanceInformation";
}

/** Systems Manager's DescribeInstanceInformation, with its filter by instance id. */
export async function answerAgents(
  agents: Agents,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { Filters = [] } = JSON.parse(await text(incoming)) as {
    Filters?: { Key: string; Values: string[] }[];
  };
  const wanted = Filters.find(({ Key }) => Key === "InstanceIds")?.Values;
  const known = [...agents].filter(([id]) => wanted?.includes(id) ?? true);
  const InstanceInformationList = known.map(([InstanceId, agent]) => ({ InstanceId, ...agent }));
  outgoing.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
  outgoing.end(JSON.stringify({ InstanceInformationList }));
}
