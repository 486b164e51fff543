/** What the ETL costs, against the physical limit and against the obvious way, in one run on one database. */
import { spawn } from "node:child_process";
import { chmodSync, createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import {
  copyIntoEvents,
  directorySource,
  migrate,
  type Queryable,
  readChunks,
  type WarehousePool,
} from "etl-lib";
import pg from "pg";
import { count, table } from "../cli/shared/format.js";
import { openEmbedded } from "../postgres/embedded.js";
import { eventJson } from "./events.js";
import type { Job, Result } from "./worker.js";

interface Options {
  readonly events: number;
  readonly objects: number;
  readonly delay: number;
  readonly concurrency: number;
  readonly json?: boolean;
}

const options = new Command("bench")
  .option("--events <n>", "events of (a) and (b)", Number, 1_000_000)
  .option("--objects <n>", "objects of (c) and (e); (d) reads a fortieth", Number, 40_000)
  .option("--delay <ms>", "added to each S3 answer", Number, 20)
  .option("--concurrency <n>", "objects read at the same time in (c) and (e)", Number, 128)
  .option("--json", "print one JSON object")
  .parse()
  .opts<Options>();

const say = (text: string) => console.error(text);
const folder = mkdtempSync(join(tmpdir(), "bench-"));
chmodSync(folder, 0o711); // root's database runs as another user
const server = await openEmbedded(join(folder, "postgres"), "bench");
const { host, port, user, password, database } = server.connection;
const connection = { host, port, user, password, database };
const pool = new pg.Pool(connection);

try {
  await migrate(pool as WarehousePool);
  const a = await rawCopy();
  const b = await inWorker({ kind: "directory", where: join(folder, "raw") });
  const bTimings = await timings();
  const again = await inWorker({ kind: "directory", where: join(folder, "raw") });
  const s3 = await startS3();
  const objects = { where: s3.endpoint, objects: options.objects, concurrency: options.concurrency };
  const e = await inWorker({ kind: "sdk-get", ...objects });
  await clear();
  const c = await inWorker({ kind: "s3", ...objects });
  const cTimings = await timings();
  const cAgain = await inWorker({ kind: "s3", ...objects });
  await clear();
  const d = await inWorker({ kind: "serial-insert", ...objects, objects: Math.ceil(options.objects / 40) });
  s3.stop();
  report({ a, b, again, c, cAgain, d, e }, { b: bTimings, c: cTimings });
} finally {
  await pool.end();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

/** (a) The same rows, encoded beforehand, in one COPY into an identical empty table. */
async function rawCopy(): Promise<Result> {
  say(`writing ${count(options.events)} events as NDJSON …`);
  const day = join(folder, "raw/events/2026/11/19");
  mkdirSync(day, { recursive: true });
  function* ndjson() {
    for (let index = 0; index < options.events; index += 1000)
      yield `${Array.from({ length: Math.min(1000, options.events - index) }, (_, i) => eventJson(index + i)).join("\n")}\n`;
  }
  await pipeline(Readable.from(ndjson()), createWriteStream(join(day, "part.ndjson")));
  const source = await directorySource(join(folder, "raw"));
  const lines: Buffer[] = [];
  let rows = 0;
  for await (const { objects } of source.list("events/"))
    for await (const chunk of readChunks(source, objects, { concurrency: 1, batchRows: 20_000 })) {
      lines.push(Buffer.from(chunk.rows.all().bytes));
      rows += chunk.rows.count;
    }
  const all = Buffer.concat(lines);
  say("(a) raw COPY …");
  const client = await pool.connect();
  const since = performance.now();
  await copyIntoEvents(client as Queryable, { bytes: all, count: rows });
  const seconds = (performance.now() - since) / 1000;
  client.release();
  await clear();
  return { rows, seconds, peakMemoryMiB: Number.NaN };
}

/** Where the last run spent its time, in milliseconds by stage; `extractMs` is what the warehouse waited for events. */
async function timings(): Promise<{ [stage: string]: number }> {
  const { rows } = await pool.query("SELECT timings FROM etl.runs ORDER BY started_at DESC LIMIT 1");
  return rows[0].timings;
}

async function clear(): Promise<void> {
  await pool.query("TRUNCATE public.clickstream_events, etl.objects, etl.rejects");
  await pool.query("CHECKPOINT");
}

async function inWorker(job: Omit<Job, "connection">): Promise<Result> {
  say(`${job.kind} …`);
  const output = await lastLine(["bench/worker.ts", JSON.stringify({ ...job, connection })]);
  return JSON.parse(output);
}

function lastLine(words: readonly string[]): Promise<string> {
  // With the heap limit of `npm run etl:local`.
  const child = spawn(process.execPath, ["--max-old-space-size=128", "--import", "tsx/esm", ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let last = "";
    createInterface({ input: child.stdout }).on("line", (line) => {
      last = line;
    });
    child.on("close", (code) =>
      code === 0 ? resolve(last) : reject(new Error(`${words[0]} ended with ${code}`)),
    );
  });
}

async function startS3(): Promise<{ endpoint: string; stop(): void }> {
  const words = ["--import", "tsx/esm", "bench/s3-server.ts", String(options.objects), String(options.delay)];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await new Promise<string[]>((resolve) =>
    createInterface({ input: child.stdout }).once("line", (line) => resolve([line])),
  );
  return { endpoint: `http://127.0.0.1:${port}`, stop: () => void child.kill() };
}

function report(
  results: { [way in "a" | "b" | "again" | "c" | "cAgain" | "d" | "e"]: Result },
  stages: { [way in "b" | "c"]: { [stage: string]: number } },
): void {
  const rate = ({ rows, seconds }: Result) => rows / seconds;
  const { a, b, again, c, cAgain, d, e } = results;
  const ratios = {
    "(b) of (a)": rate(b) / rate(a),
    // One file is one transaction: nothing of it is refreshed before the run's end.
    "(b) without rollups of (a)": b.rows / (b.seconds - (stages.b.rollupsMs ?? 0) / 1000) / rate(a),
    "(c) times (d)": rate(c) / rate(d),
    "(c) times (e)": rate(c) / rate(e),
  };
  if (options.json) {
    console.log(JSON.stringify({ machine: cpus()[0]?.model, ...results, stages, ratios }));
    return;
  }
  const row = (name: string, result: Result) => [
    name,
    count(result.rows),
    result.seconds.toFixed(2),
    count(rate(result)),
    Number.isNaN(result.peakMemoryMiB) ? "–" : count(result.peakMemoryMiB),
  ];
  console.log(
    table(
      ["way", "rows", "seconds", "rows/s", "peak MiB"],
      [
        row("(a) raw COPY of ready-made rows", a),
        row("(b) ETL from NDJSON", b),
        row("    the same again", again),
        row("(c) ETL, one event an object, over S3", c),
        row("    the same again", cAgain),
        row("(d) serial GETs, 200-row INSERTs", d),
        row("(e) nothing but the SDK's GetObject", e),
      ],
    ),
  );
  console.log(
    table(
      ["ratio", "", "goal"],
      Object.entries(ratios).map(([name, value], i) => [
        name,
        value.toFixed(2),
        ["0.7", "", "40", "3"][i] as string,
      ]),
    ),
  );
  console.log(`milliseconds by stage: (b) ${JSON.stringify(stages.b)}, (c) ${JSON.stringify(stages.c)}`);
  console.log(`${cpus().length} cores, ${cpus()[0]?.model}, ${options.delay} ms added to each S3 answer`);
}
