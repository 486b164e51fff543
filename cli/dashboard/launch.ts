import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type Connection, libpqEnvironment, type PlainConnection } from "../../connect/connection.js";
import type { Runtime } from "./runtime.js";

/** A dashboard that answers. */
export interface RunningDashboard {
  readonly url: string;
  readonly pid: number;
  /** Settles when R has ended, whoever ended it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface LaunchOptions {
  readonly runtime: Runtime;
  readonly connection: PlainConnection & Partial<Pick<Connection, "ssl" | "ca">>;
  /** The role to read as, where `connection.user` is another. */
  readonly role?: string;
  readonly port: number;
  /** What R says on stderr, line by line. */
  readonly onLog?: (line: string) => void;
}

const START_MS = 60_000;
const STOP_MS = 5_000;

/** Starts R on 127.0.0.1 and waits until it answers. @throws {Error} with R's last words when it ends before that */
export async function launchDashboard(options: LaunchOptions): Promise<RunningDashboard> {
  const { runtime, connection, role, port, onLog } = options;
  const libpq = libpqEnvironment({ ssl: "disable", ca: null, ...connection });
  const child = spawn(runtime.command, [...runtime.args, `${runtime.app}/serve.R`], {
    env: {
      ...process.env,
      ...libpq.env,
      LANG: "C.UTF-8",
      LC_ALL: "C.UTF-8",
      PGOPTIONS: role === undefined ? "" : `-c role=${role}`,
      DASHBOARD_PORT: `${port}`,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    for (const line of text.split("\n").filter((part) => part.trim() !== "")) {
      lines.push(line);
      onLog?.(line);
    }
  });
  const ended = once(child, "close").then(libpq.remove);
  const failed = once(child, "error").then(([error]) => {
    throw error;
  });
  failed.catch(() => {});
  const url = `http://127.0.0.1:${port}/`;
  const stop = () => stopChild(child, ended);
  try {
    await Promise.race([answered(url, child), failed]);
  } catch (cause) {
    await stop();
    throw new Error(`The dashboard did not start: ${lines.slice(-3).join(" ") || cause}`, { cause });
  }
  return { url, pid: child.pid ?? 0, ended, stop };
}

async function answered(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("R ended");
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  throw new Error(`no answer within ${START_MS / 1000} seconds`);
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(hard);
  }
}
