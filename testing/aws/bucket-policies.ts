import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

/** The policies of buckets that the stand-in holds, by bucket. */
export type BucketPolicies = Map<string, string>;

const POLICY_PATH = /^\/([^/?]+)\/?\?(?:.*&)?policy(?:=)?(?:&|$)/;

/** The bucket whose policy the request is about, or null. */
export function policyBucket({ url }: IncomingMessage): string | null {
  return POLICY_PATH.exec(url ?? "")?.[1] ?? null;
}

/** S3's `?policy`: put, get and delete. */
export async function answerBucketPolicy(
  policies: BucketPolicies,
  bucket: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await text(incoming);
  if (incoming.method === "PUT") policies.set(bucket, body);
  if (incoming.method === "DELETE") policies.delete(bucket);
  if (incoming.method !== "GET") {
    outgoing.writeHead(204).end();
    return;
  }
  const policy = policies.get(bucket);
  if (policy !== undefined) outgoing.writeHead(200, { "content-type": "application/json" }).end(policy);
  else outgoing.writeHead(404, { "content-type": "application/xml" }).end(NO_POLICY);
}

const NO_POLICY =
  "<Error><Code>NoSuchBucketPolicy</Code><Message>The bucket policy does not exist</Message></Error>";

const LOGGING_PATH = /^\/([^/?]+)\/?\?(?:.*&)?logging(?:=)?(?:&|$)/;
const NO_LOGGING = '<BucketLoggingStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>';

/** The bucket whose access logging the request is about, or null. */
export function loggingBucket({ url }: IncomingMessage): string | null {
  return LOGGING_PATH.exec(url ?? "")?.[1] ?? null;
}

/** S3's `?logging`: put and get. */
export async function answerBucketLogging(
  logging: Map<string, string>,
  bucket: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await text(incoming);
  if (incoming.method === "PUT") logging.set(bucket, body);
  const answer = incoming.method === "PUT" ? "" : (logging.get(bucket) ?? NO_LOGGING);
  outgoing.writeHead(200, { "content-type": "application/xml" }).end(answer);
}
