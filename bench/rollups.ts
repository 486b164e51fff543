/** What the rollups cost a load: their refresh against the rest of the same run. */
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import {
  directorySource,
  migrate,
  rebuildRollups,
  refreshRollups,
  runEtl,
  type Source,
  verifyRollups,
} from "etl-lib";
import pg from "pg";
import { count, table } from "../cli/format.js";
import { openEmbedded } from "../cli/target/embedded.js";
import { eventJson } from "./events.js";

const options = new Command("bench rollups")
  .option("--events <n>", "events of a bulk load from NDJSON", Number, 1_000_000)
  .option("--objects <n>", "objects of one event, each with the delay of an S3 answer", Number, 20_000)
  .option("--delay <ms>", "of each object", Number, 20)
  .option("--days <n>", "that the events spread over", Number, 30)
  .option("--json", "print one JSON object")
  .parse()
  .opts<{ events: number; objects: number; delay: number; days: number; json?: boolean }>();

interface Load {
  readonly events: number;
  /** Of the run without its refresh. */
  readonly seconds: number;
  readonly refreshSeconds: number;
}

const HOUR = 3_600_000;
const START = Date.UTC(2026, 9, 1);
const say = (text: string) => console.error(text);
const folder = mkdtempSync(join(tmpdir(), "bench-rollups-"));
const server = await openEmbedded(join(folder, "postgres"), "bench");
const { host, port, user, password, database } = server.connection;
const pools: pg.Pool[] = [];
const admin = poolOf(database);

try {
  say(`writing ${count(options.events)} events …`);
  await writeEvents();
  const bulk = await directorySource(join(folder, "raw"));
  await load("warm_up", objectsSource(2_000));
  const bulkLoad = await load("bulk", bulk);
  const objects = await load("bulk", objectsSource(options.objects));
  await report(bulkLoad, objects);
} finally {
  await Promise.all(pools.map((pool) => pool.end()));
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

/** An event of the shop: a third of them name a product, of 300. */
function shopEvent(index: number, time: number): string {
  const event = JSON.parse(eventJson(index));
  event._ingest.receivedAt = new Date(time).toISOString();
  if (index % 3 === 0) {
    const product = Math.floor(index / 36) % 300;
    Object.assign(event.product, {
      id: `sku-${product}`,
      category: `C${product % 12}`,
      brand: `B${product % 31}`,
    });
  } else delete event.product;
  return JSON.stringify(event);
}

async function writeEvents(): Promise<void> {
  const day = join(folder, "raw/events/2026/10/01");
  mkdirSync(day, { recursive: true });
  const { events, days } = options;
  const json = (index: number) => shopEvent(index, START + Math.floor((index / events) * days * 24 * HOUR));
  function* lines() {
    for (let from = 0; from < events; from += 1000)
      yield `${Array.from({ length: Math.min(1000, events - from) }, (_, i) => json(from + i)).join("\n")}\n`;
  }
  await pipeline(Readable.from(lines()), createWriteStream(join(day, "part.ndjson")));
}

/** What a run of every hour finds, as the ingest function writes it: one event an object, all of the hour after `bulk`. */
function objectsSource(objects: number): Source {
  const bucket = "bench";
  const lastModified = new Date("2026-11-01T00:00:00Z");
  return {
    bucket,
    async *list() {
      for (let from = 0; from < objects; from += 1000)
        yield {
          objects: Array.from({ length: Math.min(1000, objects - from) }, (_, i) => ({
            bucket,
            key: `events/2026/10/01/event-${String(from + i).padStart(8, "0")}.json`,
            etag: "1",
            size: 850,
            lastModified,
          })),
          folders: [],
        };
    },
    async *read({ key }) {
      await sleep(options.delay);
      const index = Number(/\d{8}/.exec(key)?.[0]);
      const time = START + options.days * 24 * HOUR + Math.floor((index / objects) * HOUR);
      yield Buffer.from(shopEvent(options.events + index, time));
    },
  };
}

function poolOf(name: string, role?: string): pg.Pool {
  const as = role ? { options: `-c role=${role}` } : {};
  const pool = new pg.Pool({ host, port, user, password, database: name, ...as });
  pool.on("error", () => {}); // the server is stopped before the pools when the benchmark fails
  pools.push(pool);
  return pool;
}

/** One run of `source` into a database, made when it is not there. */
async function load(name: string, source: Source): Promise<Load> {
  say(`${name} …`);
  const { rowCount } = await admin.query("SELECT FROM pg_database WHERE datname = $1", [name]);
  if (rowCount === 0) await admin.query(`CREATE DATABASE ${name}`);
  const owner = poolOf(name);
  await migrate(owner);
  await owner.query("VACUUM ANALYZE"); // as autovacuum does between two runs
  await owner.query("CHECKPOINT");
  const { error, events, durationMs, runId } = await runEtl({
    source,
    pool: poolOf(name, "etl_writer"),
    window: null,
    trigger: "local",
  });
  if (error) throw new Error(error.message);
  const { rows } = await owner.query(
    "SELECT (timings ->> 'rollupsMs')::float8 AS refresh FROM etl.runs WHERE run_id = $1",
    [runId],
  );
  const refreshSeconds = rows[0].refresh / 1000;
  return { events: events.inserted, seconds: durationMs / 1000 - refreshSeconds, refreshSeconds };
}

/** Later: a run finds nothing, one hour has something new, everything is made anew or compared. */
async function upkeep(): Promise<{ [what: string]: number }> {
  const pool = poolOf("bulk", "etl_writer");
  const timed = async (work: () => Promise<unknown>) => {
    const since = performance.now();
    await work();
    return (performance.now() - since) / 1000;
  };
  const nothing = await timed(() => refreshRollups(pool));
  await pool.query("INSERT INTO dw.stale_hours (hour) SELECT max(hour) FROM dw.hourly_events");
  const oneHour = await timed(() => refreshRollups(pool));
  const rebuild = await timed(() => rebuildRollups(pool));
  const verify = await timed(async () => {
    const { differences } = await verifyRollups(pool);
    if (differences.length > 0) throw new Error(JSON.stringify(differences));
  });
  return { nothing, oneHour, rebuild, verify };
}

async function report(bulkLoad: Load, objects: Load): Promise<void> {
  const later = await upkeep();
  const share = ({ seconds, refreshSeconds }: Load) => refreshSeconds / seconds;
  const ratios = { bulk: share(bulkLoad), objects: share(objects) };
  if (options.json)
    return console.log(JSON.stringify({ machine: cpus()[0]?.model, bulkLoad, objects, later, ratios }));
  const row = (name: string, load: Load) => [
    name,
    count(load.events),
    load.seconds.toFixed(2),
    load.refreshSeconds.toFixed(2),
    `${(share(load) * 100).toFixed(1)} %`,
  ];
  console.log(
    table(
      ["load", "events", "load, s", "refresh, s", "cost (goal 15 %)"],
      [
        row(`NDJSON of ${options.days} days`, bulkLoad),
        row(`then an hour of one-event objects, ${options.delay} ms each`, objects),
      ],
    ),
  );
  console.log(
    table(
      ["afterwards", "seconds"],
      Object.entries(later).map(([what, seconds]) => [what, seconds.toFixed(2)]),
    ),
  );
  console.log(`${cpus().length} cores, ${cpus()[0]?.model}`);
}
