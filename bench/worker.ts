/** One measured job in a process of its own, so that its peak memory is its own. Prints one JSON line. */
import { readFileSync } from "node:fs";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  copyIntoEvents,
  directorySource,
  type Queryable,
  readChunks,
  runEtl,
  type Source,
  type WarehousePool,
} from "etl-lib";
import { s3Source } from "etl-lib/s3";
import pg from "pg";
import { duckdbWay } from "./duckdb.js";
import { syntheticSource } from "./synthetic-source.js";

export interface Job {
  readonly kind: "raw-copy" | "directory" | "duckdb" | "s3" | "synthetic" | "serial-insert" | "sdk-get";
  readonly connection: pg.ClientConfig;
  readonly where: string;
  readonly objects?: number;
  readonly concurrency?: number;
  /** As of `runEtl`: null for the 16 columns alone. */
  readonly details?: null;
}

export interface Result {
  readonly rows: number;
  readonly seconds: number;
  readonly peakMemoryMiB: number;
  /** Of this process, its start included. */
  readonly cpuSeconds: number;
}

const job: Job = JSON.parse(process.argv[2] as string);
const client = new S3Client({
  endpoint: job.where,
  region: "ap-southeast-1",
  forcePathStyle: true,
  credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
});
const keys = Array.from(
  { length: job.objects ?? 0 },
  (_, index) => `events/2026/11/19/00/event-${String(index).padStart(8, "0")}.json`,
);

async function etl(pool: pg.Pool): Promise<number> {
  const source = await openSource();
  const concurrency = job.concurrency ?? 128;
  const summary = await runEtl({
    source,
    pool: pool as WarehousePool,
    window: null,
    trigger: "local",
    concurrency,
    ...(job.details === null && { details: null }),
  });
  if (summary.error) throw new Error(summary.error.message);
  return summary.events.inserted;
}

async function openSource(): Promise<Source> {
  if (job.kind === "directory") return directorySource(job.where);
  if (job.kind === "synthetic") return syntheticSource(job.where);
  return s3Source({ client, bucket: "bench", connections: job.concurrency ?? 128 });
}

/** The obvious way: one GetObject after the other, 200 rows an INSERT … ON CONFLICT. */
async function serialInsert(pool: pg.Pool): Promise<number> {
  let rows: string[] = [];
  const insert = async () => {
    const values = rows
      .map((_, index) => `($${index * 3 + 1}, $${index * 3 + 2}, $${index * 3 + 3})`)
      .join(", ");
    const parameters = rows.flatMap((row) => {
      const event = JSON.parse(row);
      return [event.eventId, event._ingest.receivedAt, event.eventName];
    });
    await pool.query(
      `INSERT INTO public.clickstream_events (event_id, event_timestamp, event_name) VALUES ${values} ON CONFLICT DO NOTHING`,
      parameters,
    );
    rows = [];
  };
  for (const key of keys) {
    rows.push(await get(key));
    if (rows.length === 200) await insert();
  }
  if (rows.length > 0) await insert();
  return keys.length;
}

async function get(key: string): Promise<string> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: "bench", Key: key }));
  return (await Body?.transformToString()) ?? "";
}

async function sdkGet(): Promise<number> {
  let next = 0;
  const reader = async () => {
    while (next < keys.length) await get(keys[next++] as string);
  };
  await Promise.all(Array.from({ length: job.concurrency ?? 128 }, reader));
  return keys.length;
}

/** `maxRSS` would begin with that of the process that started this one; Linux's own high-water mark does not. */
function peakMemoryMiB(): number {
  const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}

/** The limit: the same rows, encoded beforehand, in one COPY. */
async function rawCopy(pool: pg.Pool): Promise<number> {
  const source = await directorySource(job.where);
  const parts: Buffer[] = [];
  let rows = 0;
  for await (const { objects } of source.list("events/"))
    for await (const chunk of readChunks(source, objects, { concurrency: 1, batchRows: 20_000 })) {
      parts.push(Buffer.from(chunk.rows.all().bytes));
      rows += chunk.rows.count;
    }
  const bytes = Buffer.concat(parts);
  const client = await pool.connect();
  since = performance.now();
  await copyIntoEvents(client as Queryable, { bytes, count: rows });
  return rows;
}

const pool = new pg.Pool(job.connection);
let since = performance.now();
const jobs = {
  "raw-copy": rawCopy,
  duckdb: (db: pg.Pool) => duckdbWay(db, job.where),
  "serial-insert": serialInsert,
  "sdk-get": sdkGet,
  directory: etl,
  s3: etl,
  synthetic: etl,
};
const rows = await jobs[job.kind](pool);
const seconds = (performance.now() - since) / 1000;
const { user, system } = process.cpuUsage();
const cpuSeconds = (user + system) / 1e6;
const result: Result = { rows, seconds, peakMemoryMiB: peakMemoryMiB(), cpuSeconds };
console.log(JSON.stringify(result));
process.exit();
