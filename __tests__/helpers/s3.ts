import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { after } from "mocha";
import { type Effect, type S3Request, sendError } from "./s3/faults.js";
import { listObjectsV2 } from "./s3/list-objects-v2.js";
import { MemoryStore } from "./s3/memory-store.js";
import { isSigned } from "./s3/signature.js";

export * from "./s3/faults.js";

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
/** The one account s3rver knows. */
const ACCOUNT = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
const open = new Set<TestS3>();

/**
 * A server of its own with one empty bucket: s3rver 3.7 for the protocol, its objects in memory, and in front of it
 * what it lacks of S3: signatures checked, ListObjectsV2 with paging and url encoding, If-Match.
 */
export async function startS3(): Promise<TestS3> {
  const store = new MemoryStore();
  store.putBucket(BUCKET);
  const answer = serveObjects(store);
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
    else answer(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
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
    put: (key, body, { lastModified = new Date() } = {}) => store.put(BUCKET, key, body, lastModified),
    remove: (key) => store.deleteObject(BUCKET, key),
    fault(effect, options = {}) {
      const fault = new ActiveFault(effect, options, () => void faults.splice(faults.indexOf(fault), 1));
      faults.push(fault);
      return fault;
    },
    async stop() {
      open.delete(s3);
      s3.client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  open.add(s3);
  return s3;
}

after(async () => {
  for (const s3 of open) await s3.stop();
});

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
  const { pathname, query } = parseUrl(req);
  const key = decodeURIComponent(pathname).slice(BUCKET.length + 2);
  if (query.get("list-type") === "2")
    return { operation: "ListObjectsV2", key: query.get("prefix") ?? "", status: null };
  const operations = { GET: "GetObject", PUT: "PutObject" } as const;
  return { operation: operations[req.method as "GET"] ?? "Other", key, status: null };
}

/** Not by `URL`, which takes `..` out of a path; a key may hold it. */
function parseUrl(req: IncomingMessage): { pathname: string; query: URLSearchParams } {
  const [pathname = "", query = ""] = (req.url as string).split("?", 2);
  return { pathname, query: new URLSearchParams(query) };
}

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

function serveObjects(store: MemoryStore): Handler {
  const require = createRequire(import.meta.url);
  const S3rver = require("s3rver") as new (
    options: object,
  ) => {
    store: unknown;
    context: { store: unknown };
    callback(): Handler;
  };
  const app = new S3rver({ silent: true, vhostBuckets: false, directory: "unused" });
  app.store = app.context.store = store;
  const answer = app.callback();
  return (req, res) => {
    const { pathname, query } = parseUrl(req);
    const [, bucket = "", ...rest] = pathname.split("/");
    if (rest.join("/") === "" && query.get("list-type") === "2" && store.getBucket(bucket)) {
      res.writeHead(200, { "content-type": "application/xml" });
      res.end(listObjectsV2(store.objectsOf(bucket), bucket, query));
      return;
    }
    const key = decodeURIComponent(rest.join("/"));
    const wanted = req.headers["if-match"];
    const found = store.find(bucket, key);
    if (wanted && found && wanted !== `"${found.etag}"`) {
      sendError(res, 412, "PreconditionFailed");
      return;
    }
    // As one segment: the router of s3rver knows no empty ones.
    if (key !== "") req.url = `/${bucket}/${encodeURIComponent(key)}${query.size > 0 ? `?${query}` : ""}`;
    answer(req, res);
  };
}
