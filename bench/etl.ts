/**
 * What the ETL costs, against the physical limit and against what its users would pick instead: in one run on one server,
 * the ways in turn, round by round, each into a database of its own and from a process of its own.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Command } from "commander";
import { migrate, type WarehousePool } from "etl-lib";
import pg from "pg";
import { count, table } from "../cli/shared/format.js";
import { openEmbedded } from "../postgres/embedded.js";
import { makeInputs } from "./inputs.js";
import { barPlot } from "./plot.js";
import type { Job, Result } from "./worker.js";

const options = new Command("bench")
  .option("--events <n>", "events of the bulk loads", Number, 1_000_000)
  .option("--objects <n>", "one-event objects over S3; the serial way reads a fortieth", Number, 40_000)
  .option("--delay <ms>", "added to each S3 answer", Number, 20)
  .option("--concurrency <n>", "objects read at the same time over S3", Number, 128)
  .option("--rounds <n>", "of each way", Number, 5)
  .option("--plot <file>", "draw the medians as SVG")
  .option("--json", "print one JSON object")
  .parse()
  .opts<{
    events: number;
    objects: number;
    delay: number;
    concurrency: number;
    rounds: number;
    plot?: string;
    json?: boolean;
  }>();

type Way = { readonly name: string; readonly job: Omit<Job, "connection"> };
type Ratio = { readonly name: string; readonly of: string; readonly to: string; readonly goal: string };

const RAW = "raw COPY of ready-made rows";
const BULK = "this ETL, files, no duplicates";
const COLUMNS = "the same, without details";
const SDK = "nothing but the SDK's GetObject";
const OBJECTS = "this ETL, one-event objects over S3";
const DUCKDB = "DuckDB, COPY, INSERT … ON CONFLICT";
const SERIAL = "serial GETs, 200-row INSERTs";
const AGAIN = (percent: number) => `this ETL, ${percent} % duplicates`;

/** Rates of the first to rates of the second, round by round. */
const RATIOS: readonly Ratio[] = [
  { name: "load without details to raw COPY", of: COLUMNS, to: RAW, goal: "0.5, then 0.7" },
  { name: "load without details to the DuckDB way", of: COLUMNS, to: DUCKDB, goal: "above 1" },
  { name: "load to raw COPY", of: BULK, to: RAW, goal: "0.5, then 0.7" },
  { name: "load to the DuckDB way", of: BULK, to: DUCKDB, goal: "above 1" },
  { name: "clean load to 1 % duplicates", of: BULK, to: AGAIN(1), goal: "at most 1.15" },
  { name: "clean load to 10 % duplicates", of: BULK, to: AGAIN(10), goal: "at most 1.4" },
  { name: "objects to the SDK's GetObject", of: OBJECTS, to: SDK, goal: "3" },
  { name: "objects to the serial way", of: OBJECTS, to: SERIAL, goal: "60" },
];

const say = (text: string) => console.error(text);
const folder = mkdtempSync(join(tmpdir(), "bench-"));
chmodSync(folder, 0o711); // root's database runs as another user
const server = await openEmbedded(join(folder, "postgres"), "bench");
const { host, port, user, password, database } = server.connection;
const connection = { host, port, user, password, database };
const admin = new pg.Pool({ ...connection, database: "postgres", max: 1 });
admin.on("error", () => undefined); // it is idle when the server stops

let s3: { endpoint: string; stop(): void } | undefined;

try {
  const template = new pg.Pool(connection);
  await migrate(template as WarehousePool);
  await template.end();
  say(`making ${count(options.events)} events in five layouts …`);
  const inputs = makeInputs(folder, options.events);
  s3 = await startS3();
  const objects = { where: s3.endpoint, objects: options.objects, concurrency: options.concurrency };
  const ways: Way[] = [
    { name: RAW, job: { kind: "raw-copy", where: inputs.files } },
    { name: BULK, job: { kind: "directory", where: inputs.files } },
    { name: COLUMNS, job: { kind: "directory", where: inputs.files, details: null } },
    { name: "this ETL, a file a day", job: { kind: "directory", where: inputs.day } },
    { name: "this ETL, one file", job: { kind: "directory", where: inputs.one } },
    { name: AGAIN(1), job: { kind: "directory", where: inputs.again1 } },
    { name: AGAIN(10), job: { kind: "directory", where: inputs.again10 } },
    { name: DUCKDB, job: { kind: "duckdb", where: inputs.files } },
    { name: OBJECTS, job: { kind: "s3", ...objects } },
    { name: SDK, job: { kind: "sdk-get", ...objects } },
    { name: SERIAL, job: { kind: "serial-insert", ...objects, objects: Math.ceil(options.objects / 40) } },
  ];
  const results = new Map<string, Result[]>(ways.map(({ name }) => [name, []]));
  for (let round = 1; round <= options.rounds; round++)
    for (const { name, job } of ways) {
      say(`round ${round}: ${name} …`);
      results.get(name)?.push(await measure(job));
    }
  report(results);
} finally {
  s3?.stop();
  await admin.end();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

/** In a copy of the empty warehouse, by a process with the heap limit of `npm run etl:local`. */
async function measure(job: Omit<Job, "connection">): Promise<Result> {
  await admin.query(`CREATE DATABASE bench_run TEMPLATE "${database}"`);
  await admin.query("CHECKPOINT");
  try {
    const words = [
      "bench/worker.ts",
      JSON.stringify({ ...job, connection: { ...connection, database: "bench_run" } }),
    ];
    return JSON.parse(await lastLine(words));
  } finally {
    await admin.query("DROP DATABASE bench_run WITH (FORCE)");
  }
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

/** Least, middle, most. */
function spread(values: readonly number[]): readonly [number, number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)] as [number, number, number];
}

function report(results: ReadonlyMap<string, readonly Result[]>): void {
  const rates = new Map(
    [...results].map(([name, runs]) => [name, runs.map(({ rows, seconds }) => rows / seconds)]),
  );
  const ratios = RATIOS.map(({ name, of, to, goal }) => {
    const others = rates.get(to) as number[];
    return {
      name,
      goal,
      of: spread((rates.get(of) as number[]).map((rate, n) => rate / (others[n] as number))),
    };
  });
  const medians = [...rates].map(([name, values]) => ({ name, value: spread(values)[1] }));
  const title = `Rows a second, median of ${options.rounds}, ${new Date().toISOString().slice(0, 10)}`;
  if (options.plot) writeFileSync(options.plot, barPlot(title, "rows/s", medians));
  const machine = `${cpus().length} cores, ${cpus()[0]?.model}, Node ${process.versions.node}`;
  if (options.json) {
    console.log(JSON.stringify({ machine, options, results: Object.fromEntries(results), ratios }));
    return;
  }
  const rows = [...results].map(([name, runs]) => {
    const [least, median, most] = spread(rates.get(name) as number[]).map(count);
    const peak = Math.max(...runs.map(({ peakMemoryMiB }) => peakMemoryMiB));
    return [name, count(runs[0]?.rows ?? 0), least, median, most, count(peak)] as string[];
  });
  console.log(table(["way", "rows", "rows/s least", "median", "most", "peak MiB"], rows));
  const figures = ratios.map(({ name, goal, of }) => [name, ...of.map((value) => value.toFixed(2)), goal]);
  console.log(table(["ratio", "least", "median", "most", "goal"], figures));
  console.log(`${machine}, ${options.rounds} rounds, ${options.delay} ms added to each S3 answer`);
}
