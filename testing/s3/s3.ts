import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { answerS3, parseTarget } from "./answer.js";
import { type Effect, type S3Request, sendError } from "./faults.js";
import { isSigned } from "./signature.js";
import { ObjectStore } from "./store.js";

export * from "./faults.js";

export interface FaultOptions {
  /** @default every request */
  readonly when?: (request: S3Request) => boolean;
  /** How many requests it hits. @default all, until `lift` */
  readonly times?: number;
}

export interface Fault {
  /** Requests hit so far. */
  readonly hits: number;
  lift(): void;
}

/** An S3 endpoint of one test, reached over HTTP by the SDK's own client. */
export interface TestS3 {
  readonly client: S3Client;
  readonly endpoint: string;
  readonly bucket: string;
  /** What a child process needs to reach it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Every request since the start or the last `forget`. */
  readonly requests: readonly S3Request[];
  forget(): void;
  /** Writes an object past HTTP. @returns its ETag, without quotes */
  put(key: string, body: string | Uint8Array, options?: { lastModified?: Date }): string;
  remove(key: string): void;
  /** Puts `effect` between client and server. The first fault that matches a request is the one that hits it. */
  fault(effect: Effect, options?: FaultOptions): Fault;
  stop(): Promise<void>;
}

export const BUCKET = "clickstream-s3-ingest";
const REGION = "ap-southeast-1";
/** The one account the server knows. */
const ACCOUNT = { accessKeyId: "TESTING", secretAccessKey: "TESTING" };

/**
 * A server of its own with one empty bucket, in memory: it checks signatures, lists in pages, and answers HEAD and GET
 * with Range and If-Match.
 */
export async function startS3(): Promise<TestS3> {
  const store = new ObjectStore(BUCKET);
  const faults: ActiveFault[] = [];
  const requests: S3Request[] = [];

  const server = createServer(async (req, res) => {
    const request = describe(req);
    requests.push(request);
    res.on("finish", () => {
      request.status = res.statusCode;
    });
    const fault = faults.find((candidate) => candidate.takes(request));
    if (fault && (await fault.effect({ request, req, res }))) return;
    if (!isSigned(req, ACCOUNT)) sendError(res, 403, "SignatureDoesNotMatch");
    else answerS3(store, req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Left open by a test, it does not keep the process from ending.
  server.unref().on("connection", (socket) => socket.unref());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const s3: TestS3 = {
    endpoint,
    bucket: BUCKET,
    client: new S3Client({ endpoint, region: REGION, forcePathStyle: true, credentials: ACCOUNT }),
    environment: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: ACCOUNT.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ACCOUNT.secretAccessKey,
    },
    requests,
    forget: () => requests.splice(0),
    put: (key, body, { lastModified = new Date() } = {}) => store.put(key, body, lastModified),
    remove: (key) => store.remove(key),
    fault(effect, options = {}) {
      const fault = new ActiveFault(effect, options, () => void faults.splice(faults.indexOf(fault), 1));
      faults.push(fault);
      return fault;
    },
    async stop() {
      s3.client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return s3;
}

class ActiveFault implements Fault {
  hits = 0;

  constructor(
    readonly effect: Effect,
    private readonly options: FaultOptions,
    readonly lift: () => void,
  ) {}

  takes(request: S3Request): boolean {
    const { when = () => true, times = Number.POSITIVE_INFINITY } = this.options;
    if (this.hits >= times || !when(request)) return false;
    this.hits++;
    return true;
  }
}

function describe(req: IncomingMessage): S3Request {
  const { key, query } = parseTarget(req);
  if (query.get("list-type") === "2")
    return { operation: "ListObjectsV2", key: query.get("prefix") ?? "", status: null };
  return { operation: req.method === "GET" ? "GetObject" : "Other", key, status: null };
}
