import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

/** A lifecycle policy as DLM's API shows it. */
export interface LifecyclePolicy {
  PolicyId: string;
  PolicyArn: string;
  Description: string;
  ExecutionRoleArn: string;
  State: string;
  PolicyDetails: Record<string, unknown>;
  Tags: Record<string, string>;
}

/** The policies that the stand-in holds, by id. */
export type Dlm = Map<string, LifecyclePolicy>;

export function createDlm(): Dlm {
  return new Map();
}

/** The part of Amazon Data Lifecycle Manager's API that Terraform calls: create, read, update, delete and tags. */
export async function answerDlm(
  dlm: Dlm,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = JSON.parse((await text(incoming)) || "{}");
  const path = decodeURIComponent((incoming.url ?? "").split("?")[0] ?? "");
  const [status, answer] = route(dlm, incoming.method ?? "GET", path, body);
  outgoing.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
}

type Answer = [status: number, body: object];

function route(dlm: Dlm, method: string, path: string, body: Record<string, never>): Answer {
  if (method === "POST" && path === "/policies") return create(dlm, body);
  const policy = dlm.get(
    /policy[-/](policy-[0-9a-f]+)|\/policies\/([^/]+)/.exec(path)?.slice(1).find(Boolean) ?? "",
  );
  if (policy === undefined)
    return [404, { Code: "ResourceNotFoundException", Message: `No policy at ${path}` }];
  if (path.startsWith("/tags/")) return tags(policy, method, body);
  if (method === "DELETE") dlm.delete(policy.PolicyId);
  if (method === "PATCH") Object.assign(policy, body);
  return [200, { Policy: policy }];
}

function create(dlm: Dlm, body: Record<string, never>): Answer {
  const id = `policy-${randomBytes(8).toString("hex")}`;
  const arn = `arn:aws:dlm:ap-southeast-1:123456789012:policy/${id}`;
  dlm.set(id, { Tags: {}, ...body, PolicyId: id, PolicyArn: arn } as unknown as LifecyclePolicy);
  return [200, { PolicyId: id }];
}

function tags(policy: LifecyclePolicy, method: string, body: { Tags?: Record<string, string> }): Answer {
  if (method === "POST") Object.assign(policy.Tags, body.Tags);
  return [200, method === "GET" ? { Tags: policy.Tags } : {}];
}
