import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { sendError } from "./faults.js";
import { listObjectsV2 } from "./listing.js";
import type { ObjectStore, StoredObject } from "./store.js";

const PIECE = 64 * 1024;

/** Answers ListObjectsV2, GetObject and HeadObject (with Range and If-Match) from the store, as S3 does path style. */
export function answerS3(store: ObjectStore, req: IncomingMessage, res: ServerResponse): void {
  const { key, query } = parseTarget(req);
  const refused = refusalOf(store, req);
  if (refused) sendError(res, ...refused);
  else if (key === "") {
    res.writeHead(200, { "content-type": "application/xml" });
    res.end(listObjectsV2(store, query));
  } else sendObject(req, res, store.find(key) as StoredObject);
}

function refusalOf(store: ObjectStore, req: IncomingMessage): [status: number, code: string] | null {
  const { bucket, key, query } = parseTarget(req);
  if (bucket !== store.bucket) return [404, "NoSuchBucket"];
  if (req.method !== "GET" && req.method !== "HEAD") return [405, "MethodNotAllowed"];
  if (key === "") return query.get("list-type") === "2" ? null : [501, "NotImplemented"];
  const object = store.find(key);
  if (!object) return [404, "NoSuchKey"];
  const { "if-match": match } = req.headers;
  return match === undefined || match === `"${object.etag}"` ? null : [412, "PreconditionFailed"];
}

/** Not by `URL`, which takes `..` out of a path; a key may hold it. */
export function parseTarget(req: IncomingMessage): { bucket: string; key: string; query: URLSearchParams } {
  const [path = "", query = ""] = (req.url ?? "").split("?", 2);
  const [, bucket = "", ...key] = path.split("/");
  return { bucket, key: decodeURIComponent(key.join("/")), query: new URLSearchParams(query) };
}

function sendObject(
  req: IncomingMessage,
  res: ServerResponse,
  { body, etag, lastModified }: StoredObject,
): void {
  const range = parseRange(req.headers.range, body.length);
  if (range === "outside") {
    sendError(res, 416, "InvalidRange");
    return;
  }
  const { from, to } = range ?? { from: 0, to: body.length };
  res.writeHead(range ? 206 : 200, {
    etag: `"${etag}"`,
    "last-modified": lastModified.toUTCString(),
    "content-type": "binary/octet-stream",
    "accept-ranges": "bytes",
    "content-length": to - from,
    ...(range && { "content-range": `bytes ${from}-${to - 1}/${body.length}` }),
  });
  if (req.method === "HEAD") res.end();
  else if (to - from <= PIECE) res.end(body.subarray(from, to));
  else Readable.from(pieces(body.subarray(from, to))).pipe(res);
}

function* pieces(body: Buffer): Generator<Buffer> {
  for (let from = 0; from < body.length; from += PIECE) yield body.subarray(from, from + PIECE);
}

/** `bytes=2-5`, `bytes=2-` or `bytes=-5`; null for none or another unit, which S3 ignores. `to` is exclusive. */
function parseRange(
  header: string | undefined,
  size: number,
): { from: number; to: number } | "outside" | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return null;
  const range =
    first === ""
      ? { from: Math.max(0, size - Number(last)), to: size }
      : { from: Number(first), to: last === "" ? size : Math.min(Number(last) + 1, size) };
  return range.from < range.to ? range : "outside";
}
