/** What the rollups cost a load: the same one with and without them, in turn. */
import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
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
import { count, table } from "../cli/shared/format.js";
import { openEmbedded } from "../postgres/embedded.js";
import { eventJson } from "./events.js";

const options = new Command("bench rollups")
  .option("--events <n>", "events of a bulk load from NDJSON", Number, 1_000_000)
  .option("--objects <n>", "objects of one event, each with the delay of an S3 answer", Number, 20_000)
  .option("--delay <ms>", "of each object", Number, 20)
  .option("--days <n>", "that the events spread over", Number, 30)
  .option("--rounds <n>", "of each load, of which the median is reported", Number, 3)
  .option("--json", "print one JSON object")
  .parse()
  .opts<{ events: number; objects: number; delay: number; days: number; rounds: number; json?: boolean }>();

/** The same load into two databases; one of them keeps no marks, so that its refreshes find nothing to do. */
type Way = "with" | "without";

interface Load {
  readonly events: number;
  readonly seconds: number;
  /** How long the run waited at its end for what it had not refreshed while it loaded. */
  readonly waited: number;
}

interface Comparison {
  readonly events: number;
  readonly without: number;
  readonly with: number;
  readonly waited: number;
  /** What the rollups added, as a part of the load without them. */
  readonly cost: number;
}

const HOUR = 3_600_000;
const START = Date.UTC(2026, 9, 1);
const say = (text: string) => console.error(text);
const folder = mkdtempSync(join(tmpdir(), "bench-rollups-"));
const server = await openEmbedded(join(folder, "postgres"), "bench");
const { host, port, user, password, database } = server.connection;

try {
  say(`writing ${count(options.events)} events …`);
  await writeEvents();
  const inFiles = await directorySource(join(folder, "daily"));
  const inOneFile = await directorySource(join(folder, "single"));
  await inDatabase(database, user, async (admin) => {
    await admin.query("ALTER SYSTEM SET autovacuum = off"); // its workers would fall on one load and not on the other
    await admin.query("SELECT pg_reload_conf()");
  });
  await renew("with");
  await load("with", objectsSource(2_000)); // warm
  const rounds: { single: Comparison; daily: Comparison; hour: Comparison }[] = [];
  for (let round = 0; round < options.rounds; round++) {
    await renew("with", "without");
    const single = await compare(`round ${round}, one file`, inOneFile, round);
    await renew("with", "without");
    const daily = await compare(`round ${round}, a file a day`, inFiles, round);
    rounds.push({
      single,
      daily,
      hour: await compare("and an hour", objectsSource(options.objects), round),
    });
  }
  report(rounds, await upkeep());
} finally {
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

/** The events in their order: one file for each day, and all of them in one. */
async function writeEvents(): Promise<void> {
  const { events, days } = options;
  const json = (index: number) => shopEvent(index, START + Math.floor((index / events) * days * 24 * HOUR));
  function* lines(from: number, to: number) {
    for (let index = from; index < to; index++) yield `${json(index)}\n`;
  }
  const single = join(folder, "single/events/2026/10/01");
  mkdirSync(single, { recursive: true });
  for (let day = 0; day < days; day++) {
    const date = new Date(START + day * 24 * HOUR).toISOString().slice(0, 10);
    const daily = join(folder, "daily/events", ...date.split("-"));
    mkdirSync(daily, { recursive: true });
    const ofDay = lines(Math.ceil((day * events) / days), Math.ceil(((day + 1) * events) / days));
    await pipeline(Readable.from(ofDay), createWriteStream(join(daily, "part.ndjson")));
    const read = createReadStream(join(daily, "part.ndjson"));
    await pipeline(read, createWriteStream(join(single, "part.ndjson"), { flags: "a" }));
  }
}

/** What a run of every hour finds, as the ingest function writes it: one event an object, all of the hour after the bulk load. */
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

async function inDatabase<T>(name: string, role: string, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({ host, port, user, password, database: name, options: `-c role=${role}` });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** Makes the databases from scratch. */
async function renew(...ways: Way[]): Promise<void> {
  for (const way of ways) {
    await inDatabase(database, user, async (admin) => {
      await admin.query(`DROP DATABASE IF EXISTS ${way}_rollups WITH (FORCE)`);
      await admin.query(`CREATE DATABASE ${way}_rollups`);
    });
    await inDatabase(`${way}_rollups`, user, async (owner) => {
      await migrate(owner);
      if (way === "without")
        await owner.query("CREATE RULE no_marks AS ON INSERT TO dw.stale_hours DO INSTEAD NOTHING");
    });
  }
}

/** In turn one way first and the other, for the machine's speed drifts. */
async function compare(what: string, source: Source, round: number): Promise<Comparison> {
  say(`${what} …`);
  const loads: { [way in Way]?: Load } = {};
  const ways: readonly Way[] = round % 2 === 0 ? ["with", "without"] : ["without", "with"];
  for (const way of ways) loads[way] = await load(way, source);
  const { with: whole, without } = loads as { [way in Way]: Load };
  return {
    events: whole.events,
    without: without.seconds,
    with: whole.seconds,
    waited: whole.waited,
    cost: (whole.seconds - without.seconds) / without.seconds,
  };
}

async function load(way: Way, source: Source): Promise<Load> {
  const name = `${way}_rollups`;
  await inDatabase(name, user, async (owner) => {
    await owner.query("VACUUM ANALYZE"); // as autovacuum has done between two runs
    await owner.query("CHECKPOINT");
  });
  return inDatabase(name, "etl_writer", async (pool) => {
    const { error, events, durationMs, runId } = await runEtl({
      source,
      pool,
      window: null,
      trigger: "local",
    });
    if (error) throw new Error(error.message);
    const { rows } = await pool.query(
      "SELECT (timings ->> 'rollupsMs')::float8 AS waited FROM etl.runs WHERE run_id = $1",
      [runId],
    );
    return { events: events.inserted, seconds: durationMs / 1000, waited: rows[0].waited / 1000 };
  });
}

/** Later: all is compared, a run finds nothing, one hour has something new, everything is rebuilt. */
function upkeep(): Promise<{ [what: string]: number }> {
  return inDatabase("with_rollups", "etl_writer", async (pool) => {
    const timed = async (work: () => Promise<unknown>) => {
      const since = performance.now();
      await work();
      return (performance.now() - since) / 1000;
    };
    const verify = await timed(async () => {
      const { differences } = await verifyRollups(pool);
      if (differences.length > 0) throw new Error(JSON.stringify(differences));
    });
    const nothing = await timed(() => refreshRollups(pool));
    await pool.query("INSERT INTO dw.stale_hours (hour) SELECT max(hour) FROM dw.hourly_events");
    const oneHour = await timed(() => refreshRollups(pool));
    const rebuild = await timed(() => rebuildRollups(pool));
    return { verify, nothing, oneHour, rebuild };
  });
}

/** Of each load the round whose cost is the median. */
function report(
  rounds: readonly { [load in "single" | "daily" | "hour"]: Comparison }[],
  later: { [what: string]: number },
): void {
  if (options.json) {
    console.log(JSON.stringify({ machine: cpus()[0]?.model, rounds, later }));
    return;
  }
  const row = (name: string, of: (round: (typeof rounds)[number]) => Comparison) => {
    const sorted = rounds.map(of).sort((one, other) => one.cost - other.cost);
    const median = sorted[Math.floor(sorted.length / 2)] as Comparison;
    return [
      name,
      count(median.events),
      median.without.toFixed(2),
      median.with.toFixed(2),
      median.waited.toFixed(2),
      `${(median.cost * 100).toFixed(1)} %`,
      sorted.map(({ cost }) => (cost * 100).toFixed(1)).join(" "),
    ];
  };
  console.log(
    table(
      [
        "load",
        "events",
        "without rollups, s",
        "with, s",
        "waited at the end, s",
        "cost (goal 15 %)",
        "of all rounds",
      ],
      [
        row(`${options.days} days, an NDJSON file each`, ({ daily }) => daily),
        row(`${options.days} days in one NDJSON file`, ({ single }) => single),
        row(`then an hour of one-event objects, ${options.delay} ms each`, ({ hour }) => hour),
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
