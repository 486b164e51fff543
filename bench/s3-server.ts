/**
 * A process that answers ListObjectsV2 and GetObject like S3, from memory, each after a fixed delay: one event an
 * object. Prints its port. `tsx bench/s3-server.ts <objects> <delay ms>`
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { eventJson } from "./events.js";

const [objects = 0, delayMs = 0] = process.argv.slice(2).map(Number);
const PREFIX = "events/2026/11/19/00/event-";
const bodies = Array.from({ length: objects }, (_, index) => Buffer.from(eventJson(index)));
const keyOf = (index: number) => `${PREFIX}${String(index).padStart(8, "0")}.json`;

function list(url: URL, response: ServerResponse): void {
  const from = Number(url.searchParams.get("continuation-token") ?? 0);
  const to = Math.min(from + 1000, objects);
  const contents = Array.from({ length: to - from }, (_, offset) => {
    const index = from + offset;
    return `<Contents><Key>${keyOf(index)}</Key><LastModified>2026-11-20T00:00:00.000Z</LastModified><ETag>"${index}"</ETag><Size>${bodies[index]?.length}</Size></Contents>`;
  });
  const next = to < objects ? `<NextContinuationToken>${to}</NextContinuationToken>` : "";
  response.setHeader("content-type", "application/xml");
  response.end(
    `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${to < objects}</IsTruncated>${next}${contents.join("")}</ListBucketResult>`,
  );
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  setTimeout(() => {
    const url = new URL(request.url ?? "/", "http://bench");
    if (url.searchParams.has("list-type")) return list(url, response);
    const index = Number(url.pathname.slice(-13, -5));
    response.setHeader("etag", `"${index}"`).end(bodies[index]);
  }, delayMs);
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
