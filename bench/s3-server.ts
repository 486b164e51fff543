/**
 * A process that answers ListObjectsV2 and GetObject like S3, from memory, each after a fixed delay: one event an
 * object. Prints its port. `tsx bench/s3-server.ts <objects> <delay ms>`
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answerS3 } from "../testing/s3/answer.js";
import { ObjectStore } from "../testing/s3/store.js";
import { eventJson } from "./events.js";

const [objects = 0, delayMs = 0] = process.argv.slice(2).map(Number);
const store = new ObjectStore("bench");
const lastModified = new Date("2026-11-20T00:00:00Z");
for (let index = 0; index < objects; index++)
  store.put(
    `events/2026/11/19/00/event-${String(index).padStart(8, "0")}.json`,
    eventJson(index),
    lastModified,
  );

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  setTimeout(() => answerS3(store, request, response), delayMs);
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
