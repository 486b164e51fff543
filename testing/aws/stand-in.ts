import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Agents, answerAgents, isAgentQuestion } from "./agents.js";
import {
  answerBucketLogging,
  answerBucketPolicy,
  type BucketPolicies,
  loggingBucket,
  policyBucket,
} from "./bucket-policies.js";
import { answerDlm, createDlm, type Dlm } from "./dlm.js";
import { answerInvocation, type Functions, invokedFunction } from "./functions.js";
import { answerStates, executable, isStatesQuestion } from "./states.js";

/** The emulator as the provider sees it. */
export interface AwsStandIn {
  readonly url: string;
  /** Requests that neither moto nor this stand-in could answer, as `service: METHOD path`. */
  readonly unanswered: readonly string[];
  readonly dlm: Dlm;
  readonly bucketPolicies: BucketPolicies;
  /** Empty: no instance boots here, so none has an agent that registers. */
  readonly agents: Agents;
  /** Functions that really run. */
  readonly functions: Functions;
  /** Where it passes requests on to. */
  passOnTo(motoUrl: string): void;
  stop(): Promise<void>;
}

/**
 * Passes every request on to moto, except those that moto has no answer to:
 * - DLM: moto lacks the service; without an answer the provider retries for minutes.
 * - bucket policies: moto enforces a Deny without its condition, so that the one against plain HTTP shuts everybody out.
 * - state machines: moto neither validates a definition nor lists versions.
 * - access logging of buckets: moto looks for the target's permission in the policy that it does not have.
 * - agents of instances: moto has no DescribeInstanceInformation.
 * - functions that really run: moto wants Docker.
 *
 * @param executesMachines definitions reach moto as it can execute them; a plan then finds them changed
 */
export async function startAwsStandIn(executesMachines: boolean): Promise<AwsStandIn> {
  let motoUrl = "";
  const functions: Functions = new Map();
  const dlm = createDlm();
  const bucketPolicies: BucketPolicies = new Map();
  const agents: Agents = new Map();
  const logging = new Map<string, string>();
  const unanswered: string[] = [];
  const server = createServer((incoming, outgoing) => {
    if (serviceOf(incoming) === "dlm") return answerDlm(dlm, incoming, outgoing);
    const invoke = invokedFunction(functions, incoming);
    if (invoke) return void answerInvocation(invoke, incoming, outgoing);
    if (isStatesQuestion(incoming)) return answerStates(incoming, outgoing);
    if (isAgentQuestion(incoming)) return answerAgents(agents, incoming, outgoing);
    const bucket = policyBucket(incoming);
    if (bucket !== null) return answerBucketPolicy(bucketPolicies, bucket, incoming, outgoing);
    const logged = loggingBucket(incoming);
    if (logged !== null) return answerBucketLogging(logging, logged, incoming, outgoing);
    const machine = executesMachines ? executable(incoming) : null;
    passOn(motoUrl, incoming, outgoing, machine, (call) => unanswered.push(call));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    unanswered,
    dlm,
    bucketPolicies,
    agents,
    functions,
    passOnTo: (moto) => {
      motoUrl = moto;
    },
    stop: () => stop(server),
  };
}

/** The service in the signature's scope: `…/ap-southeast-1/dlm/aws4_request`. */
function serviceOf({ headers }: IncomingMessage): string {
  return /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? "")?.[1] ?? "unknown";
}

function passOn(
  motoUrl: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  machine: ReturnType<typeof executable>,
  unanswered: (call: string) => void,
): void {
  const { method, headers, url } = incoming;
  const forwarded = request(
    motoUrl + url,
    { method, headers: machine?.headers ?? headers, agent: false },
    (answer) => {
      const status = answer.statusCode ?? 502;
      if (status >= 500)
        unanswered(`${serviceOf(incoming)}: ${method} ${url} ${headers["x-amz-target"] ?? ""}`);
      outgoing.writeHead(status, answer.headers);
      answer.pipe(outgoing);
    },
  );
  forwarded.on("error", (error) => {
    unanswered(`${serviceOf(incoming)}: ${method} ${url} ${error.message}`);
    outgoing.writeHead(400, { "x-amzn-requestid": randomUUID() }).end();
  });
  (machine ? incoming.pipe(machine.body) : incoming).pipe(forwarded);
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
