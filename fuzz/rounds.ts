import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import type { Connection } from "../connect/connection.js";
import { type FuzzFile, Generator } from "./generate.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const MIB = 1024 * 1024;
/** Of the whole process of a run. */
export const MEMORY_LIMIT_MIB = 256;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly peakMiB: number;
}

/** Writes files `from` to `to` of a seed into `folder`, which then holds nothing else. */
export function writeFiles(folder: string, seed: number, from: number, to: number): FuzzFile[] {
  rmSync(folder, { recursive: true, force: true });
  return Array.from({ length: to - from }, (_, n) => {
    const file = new Generator(seed, from + n).file();
    const path = join(folder, file.key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.content);
    return file;
  });
}

/** `etl:local run`, as people start it: the bundle in its own process. @param killAfterMs ends it with SIGKILL, unless it was faster */
export function runCommand(folder: string, connection: Connection, killAfterMs?: number): Promise<Outcome> {
  const args = ["run", "--json", "--source", folder, "--concurrency", "128", "--batch-rows", "2000"];
  const child = spawn(process.execPath, ["--max-old-space-size=128", "bin/clickstream.js", ...args], {
    cwd: ROOT,
    env: environmentOf(connection),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr, peakMiB] = ["", "", 0];
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stderr.on("data", (data) => {
    stderr = (stderr + data).slice(-4000);
  });
  const watch = setInterval(() => {
    peakMiB = Math.max(peakMiB, peakOf(child.pid));
  }, 50);
  const kill = killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(watch);
      clearTimeout(kill);
      resolve({ code, stdout, stderr, peakMiB });
    });
  });
}

function environmentOf({ host, port, user, password, database }: Connection): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(DWH_|AWS_|RAW_BUCKET|ETL_)/.test(name));
  return {
    ...Object.fromEntries(own),
    NODE_NO_WARNINGS: "1",
    DWH_HOST: host,
    DWH_PORT: String(port),
    DWH_USER: user,
    DWH_PASSWORD: password,
    DWH_DATABASE: database,
    DWH_SSL: "disable",
  };
}

/** What the process held at most so far, where the system tells (Linux). */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** What does not hold after a run over `files`, each in a sentence. */
export async function findFaults(pool: pg.Pool, files: readonly FuzzFile[]): Promise<string[]> {
  const faults: string[] = [];
  const { rows } = await pool.query(
    `SELECT (SELECT count(*)::int FROM public.clickstream_events) AS rows,
       (SELECT coalesce(sum(inserted), 0)::int FROM etl.objects) AS inserted,
       (SELECT coalesce(sum(rejected), 0)::int FROM etl.objects) AS rejected,
       (SELECT coalesce(sum(records), 0)::int FROM etl.rejects WHERE requeued_at IS NULL) AS quarantined,
       (SELECT count(*)::int FROM etl.objects WHERE read <> inserted + duplicates + rejected + expired) AS broken`,
  );
  const { rows: table, inserted, rejected, quarantined, broken } = rows[0];
  if (table !== inserted) faults.push(`the table holds ${table} rows, the ledger says ${inserted}`);
  if (rejected !== quarantined)
    faults.push(`the ledger counts ${rejected} rejects, quarantine ${quarantined}`);
  if (broken > 0) faults.push(`${broken} objects whose counts do not add up`);
  const keys = await pool.query("SELECT key FROM etl.objects WHERE key = ANY ($1)", [
    files.map(({ key }) => key),
  ]);
  const loaded = new Set(keys.rows.map(({ key }) => key));
  for (const { key, made } of files)
    if (!loaded.has(key)) faults.push(`${key} (${made}) is not in the ledger`);
  const wanted = files.flatMap(({ ids }) => ids);
  const there = await pool.query(
    "SELECT event_id FROM public.clickstream_events WHERE event_id = ANY ($1::uuid[])",
    [wanted],
  );
  const ids = new Set(there.rows.map(({ event_id }) => event_id));
  for (const file of files) {
    const lost = file.ids.filter((id) => !ids.has(id)).length;
    if (lost > 0)
      faults.push(`${file.key} is whole, and ${lost} of its ${file.ids.length} events are missing`);
  }
  return faults;
}

/** What does not hold of a run's own outcome. */
export function faultsOf({ code, stdout, stderr, peakMiB }: Outcome): string[] {
  const faults: string[] = [];
  if (code !== 0)
    faults.push(`the command ended with ${code}: ${stderr.slice(-1000)} ${stdout.slice(0, 1000)}`);
  if (peakMiB > MEMORY_LIMIT_MIB) faults.push(`the command held ${peakMiB.toFixed(0)} MiB`);
  return faults;
}

export const megabytes = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;
