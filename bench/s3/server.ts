/**
 * A process that answers ListObjectsV2 and GetObject like S3 for a past of any size, from arithmetic, and counts both.
 * Prints its port. `tsx bench/s3/server.ts '{"perHour": 41667, "from": 0, "now": 0, "listMs": 80, "getMs": 20}'`
 * `GET /?counts` answers the requests so far; `POST /?now=<ms>` moves its clock.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Past } from "./past.js";

const DAY = /^events\/\d{4}\/\d{2}\/\d{2}\/$/;

export interface PastServerOptions {
  readonly perHour: number;
  readonly from: number;
  readonly now: number;
  /** Added to each answer. */
  readonly listMs: number;
  readonly getMs: number;
}

const options: PastServerOptions = JSON.parse(process.argv[2] ?? "{}");
const past = new Past(options.perHour, options.from, options.now);
const counts = { list: 0, get: 0 };

function list(query: URLSearchParams, response: ServerResponse): void {
  const prefix = query.get("prefix") ?? "";
  response.setHeader("content-type", "application/xml");
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult><EncodingType>url</EncodingType>${
      DAY.test(prefix) ? foldersOf(prefix) : objectsOf(prefix, Number(query.get("continuation-token") ?? -1))
    }</ListBucketResult>`,
  );
}

/** Nothing lies right in a day's folder. */
function foldersOf(day: string): string {
  const hours = Array.from({ length: 24 }, (_, hour) => `${day}${String(hour).padStart(2, "0")}/`);
  const there = hours.filter((prefix) => past.hourOf(prefix) !== null);
  return `<IsTruncated>false</IsTruncated>${there.map((prefix) => `<CommonPrefixes><Prefix>${prefix}</Prefix></CommonPrefixes>`).join("")}`;
}

function objectsOf(prefix: string, after: number): string {
  const hour = past.hourOf(prefix);
  if (hour === null) return "<IsTruncated>false</IsTruncated>";
  const { indexes, isTruncated } = past.page(hour, after);
  const contents = indexes.map((index) => {
    const written = new Date(past.writtenAt(hour, index)).toISOString();
    return `<Contents><Key>${past.keyOf(hour, index)}</Key><LastModified>${written}</LastModified><ETag>&quot;${past.etagOf(hour, index)}&quot;</ETag><Size>${past.size}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  });
  const next = isTruncated ? `<NextContinuationToken>${indexes.at(-1)}</NextContinuationToken>` : "";
  return `<IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join("")}`;
}

function get(key: string, response: ServerResponse): void {
  const hour = past.hourOf(key);
  const index = past.indexOf(key);
  if (hour === null || !past.isThere(hour, index)) {
    response.statusCode = 404;
    response.end("<Error><Code>NoSuchKey</Code></Error>");
    return;
  }
  response.setHeader("etag", `"${past.etagOf(hour, index)}"`).end(past.body(key));
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const url = new URL(request.url ?? "/", "http://bench");
  if (url.searchParams.has("counts")) return response.end(JSON.stringify(counts));
  if (url.searchParams.has("now")) {
    past.now = Number(url.searchParams.get("now"));
    return response.end();
  }
  const isList = url.searchParams.has("list-type");
  counts[isList ? "list" : "get"]++;
  setTimeout(
    () => (isList ? list(url.searchParams, response) : get(url.pathname.replace(/^\/[^/]+\//, ""), response)),
    isList ? options.listMs : options.getMs,
  );
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
