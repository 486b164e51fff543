import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TargetError } from "../connect/errors.js";
import { LOOPBACK } from "../connect/local-port.js";
import { type Binaries, program, type ServerUser } from "./programs.js";

/** Where a server keeps its data and its log, and what runs it. */
export interface ServerHome {
  readonly dataDir: string;
  readonly logFile: string;
  readonly user: ServerUser;
  readonly binaries: Binaries;
}

/** What `postmaster.pid` says of the server that runs on a data folder. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

/** `-c name=value` settings of the server. */
export type Settings = Readonly<Record<string, string>>;

const POLL_MS = 10;
/** Replaying the log after a kill can take a while. */
const START_MS = 60_000;
const STOP_MS = 30_000;
const REAP_POLLS = 200;

/** Never reachable from another machine, and by TCP alone: a socket file would need a folder both users can use. */
const FIXED: Settings = { listen_addresses: LOOPBACK, unix_socket_directories: "" };

/** The server that runs on the folder, or null; a file that an unclean stop left behind does not count. */
export function findServer({ dataDir }: Pick<ServerHome, "dataDir">): RunningServer | null {
  const lines = readLines(join(dataDir, "postmaster.pid"));
  const [pid, folder, , port] = lines;
  if (pid === undefined || folder === undefined || !commandLine(Number(pid)).includes(folder)) return null;
  return { pid: Number(pid), port: Number(port), ready: lines[7]?.trim() === "ready" };
}

/**
 * Starts a server of its own process group, so that Ctrl-C reaches the command and not the database.
 *
 * @returns once it takes connections
 * @throws {TargetError} with the server's last words; also when another process started one meanwhile
 */
export async function startServer(
  home: ServerHome,
  port: number,
  settings: Settings,
): Promise<RunningServer> {
  await untilReaped(home);
  forgetStalePid(home);
  const from = existsSync(home.logFile) ? statSync(home.logFile).size : 0;
  const child = launch(home, port, { ...FIXED, ...settings });
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new TargetError(`The embedded PostgreSQL did not start: ${lastWords(home, from)}.`);
    }
    const server = findServer(home);
    if (server?.pid === child.pid && server?.ready) return server;
    await sleep(POLL_MS);
  }
  child.kill("SIGQUIT");
  throw new TargetError(`The embedded PostgreSQL did not start in a minute: see ${home.logFile}.`);
}

/** Stops the server: clients are disconnected, nothing that was committed is lost. Returns when it is gone. */
export async function stopServer(home: ServerHome, signal: "SIGINT" | "SIGKILL" = "SIGINT"): Promise<void> {
  const server = findServer(home);
  if (server === null) return;
  process.kill(server.pid, signal);
  await waitForStop(home, server);
}

/** @throws {TargetError} it still runs after half a minute */
export async function waitForStop(home: ServerHome, server: RunningServer): Promise<void> {
  const deadline = Date.now() + STOP_MS;
  while (findServer(home)?.pid === server.pid) {
    if (Date.now() > deadline) throw new TargetError(`PostgreSQL (process ${server.pid}) does not stop.`);
    await sleep(POLL_MS);
  }
}

function launch(home: ServerHome, port: number, settings: Settings): ChildProcess {
  const log = openSync(home.logFile, "a");
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(program(home.binaries, "postgres"), ["-D", home.dataDir, "-p", `${port}`, ...flags], {
    ...home.user,
    cwd: "/",
    // Nothing of the caller's PG* variables: they would change what the server does.
    env: { LC_ALL: "C", PATH: process.env.PATH },
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.on("error", () => {}); // seen as an exit by the caller's loop
  child.unref();
  return child;
}

/**
 * PostgreSQL takes its own stale lock file away, but not when the number in it belongs to another process by now
 * (as after a restart of the machine or the container).
 */
function forgetStalePid(home: ServerHome): void {
  const file = join(home.dataDir, "postmaster.pid");
  const pid = Number(readLines(file)[0]);
  if (findServer(home) === null && commandLine(pid) !== "") rmSync(file, { force: true });
}

/** A server that was killed and whose parent has not taken note yet still counts as running for the next one. */
async function untilReaped({ dataDir }: ServerHome): Promise<void> {
  const pid = Number(readLines(join(dataDir, "postmaster.pid"))[0]);
  for (let polls = 0; polls < REAP_POLLS && exists(pid) && commandLine(pid) === ""; polls++)
    await sleep(POLL_MS);
}

function exists(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Empty when the process is not there (or is a zombie). */
function commandLine(pid: number): string {
  if (!Number.isInteger(pid) || pid <= 0) return "";
  if (process.platform === "linux") return readLines(`/proc/${pid}/cmdline`).join(" ");
  return spawnSync("ps", ["-ww", "-o", "command=", "-p", `${pid}`], { encoding: "utf8" }).stdout ?? "";
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

function lastWords({ logFile }: ServerHome, from: number): string {
  const lines = readFileSync(logFile).subarray(from).toString().trim().split("\n");
  const fatal = lines.findLast((line) => /FATAL|ERROR|PANIC/.test(line)) ?? lines.at(-1) ?? "";
  return fatal.replace(/^.*?(FATAL|ERROR|PANIC):\s*/, "").replace(/\.$/, "") || `see ${logFile}`;
}
