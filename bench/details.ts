/**
 * What the details cost a load: the same one with and without them, in turn, each into a database of its own. Told in
 * processor time, which a busy machine changes little, and in bytes of tables with their indexes.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { directorySource, migrate, runEtl, type WarehousePool } from "etl-lib";
import pg from "pg";
import { writeSample } from "../cli/sample/write-sample.js";
import { count, table } from "../cli/shared/format.js";
import { openEmbedded } from "../postgres/embedded.js";

const options = new Command("bench details")
  .option("--events <n>", "events of a load from NDJSON", Number, 200_000)
  .option("--rounds <n>", "of each load, of which the median is reported", Number, 3)
  .parse()
  .opts<{ events: number; rounds: number }>();

interface Cost {
  readonly client: number;
  readonly server: number;
  readonly bytes: number;
}

const folder = mkdtempSync(join(tmpdir(), "bench-details-"));
const server = await openEmbedded(join(folder, "postgres"), "bench");
const { host, port, user, password, database } = server.connection;
const connection = { host, port, user, password, database };
const admin = new pg.Pool({ ...connection, database: "postgres", max: 1 });
admin.on("error", () => undefined); // it is idle when the server stops

try {
  writeSample({ events: options.events, layout: "ndjson", dirty: 0, out: join(folder, "raw") });
  const template = new pg.Pool(connection);
  await migrate(template as WarehousePool);
  await template.end();
  await admin.query("ALTER SYSTEM SET autovacuum = off"); // its workers would fall on one load and not on the other
  await admin.query("SELECT pg_reload_conf()");
  const costs = { without: [] as Cost[], with: [] as Cost[] };
  await load("without"); // warm
  for (let round = 0; round < options.rounds; round++)
    for (const way of ["without", "with"] as const) costs[way].push(await load(way));
  report(median(costs.without), median(costs.with));
} finally {
  await admin.end();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

async function load(way: "with" | "without"): Promise<Cost> {
  await admin.query(`CREATE DATABASE bench_run TEMPLATE "${database}"`);
  const pool = new pg.Pool({ ...connection, database: "bench_run" });
  pool.on("error", () => undefined);
  try {
    const [clientBefore, serverBefore] = [process.cpuUsage(), await serverSeconds()];
    const { error } = await runEtl({
      ...{ source: await directorySource(join(folder, "raw")), pool: pool as WarehousePool },
      ...{ window: null, trigger: "local", rollups: false },
      details: way === "with" ? {} : null,
    });
    if (error) throw new Error(error.message);
    const { user: own, system } = process.cpuUsage(clientBefore);
    const { rows } = await pool.query<{ bytes: number }>(
      `SELECT (pg_total_relation_size('public.clickstream_events')
         + pg_total_relation_size('public.clickstream_event_details'))::float8 AS bytes`,
    );
    const spent = (await serverSeconds()) - serverBefore;
    return { client: (own + system) / 1e6, server: spent, bytes: rows[0]?.bytes ?? 0 };
  } finally {
    await pool.end();
    await admin.query("DROP DATABASE bench_run WITH (FORCE)");
  }
}

/** Processor time of the server's processes, those that have ended included. Linux counts in hundredths. */
async function serverSeconds(): Promise<number> {
  const { rows } = await admin.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const parent = statOf(Number(rows[0]?.pid))[1];
  const ticks = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), stat: statOf(Number(name)) }))
    .filter(({ pid, stat }) => pid === parent || stat[1] === parent)
    .map(({ pid, stat }) => stat.slice(11, pid === parent ? 15 : 13).reduce((sum, one) => sum + one, 0));
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}

/** The fields behind a process's name; the second one is its parent. */
function statOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")
      .map(Number);
  } catch {
    return []; // it has ended
  }
}

function median(costs: readonly Cost[]): Cost {
  const of = (part: keyof Cost) =>
    costs.map((cost) => cost[part]).sort((a, b) => a - b)[costs.length >> 1] ?? 0;
  return { client: of("client"), server: of("server"), bytes: of("bytes") };
}

function report(without: Cost, with_: Cost): void {
  const row = (name: string, of: (cost: Cost) => number, unit: (value: number) => string) => {
    const [less, more] = [of(without), of(with_)];
    return [name, unit(less), unit(more), `${((100 * (more - less)) / less).toFixed(0)} %`];
  };
  const seconds = (value: number) => value.toFixed(2);
  const bytes = (value: number) => count(value / options.events);
  const rows = [
    row("CPU s of the process", ({ client }) => client, seconds),
    row("CPU s of the server", ({ server }) => server, seconds),
    row("CPU s of both", ({ client, server }) => client + server, seconds),
    row("bytes an event", (cost) => cost.bytes, bytes),
  ];
  console.log(table(["", "without details", "with", "more"], rows));
  console.log(
    `${count(options.events)} events, median of ${options.rounds}, rollups left out; ${cpus()[0]?.model}, Node ${process.versions.node}`,
  );
}
