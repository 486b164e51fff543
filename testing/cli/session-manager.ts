import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** How the sessions of the stand-in go. */
export interface SessionBehaviour {
  /** Milliseconds until Session Manager ends the session. @default never */
  readonly lifeMs?: number;
  /** What `aws ssm start-session` says instead of starting one. */
  readonly refusal?: string;
}

/** Programs that stand in for the AWS CLI and its plugin, which neither npm nor Debian has. */
export interface SessionManager {
  /** The environment with them on the PATH. */
  readonly env: NodeJS.ProcessEnv;
  /** Arguments of each `aws ssm start-session` so far. */
  sessions(): string[][];
  /** Process ids of each plugin that was started. */
  plugins(): number[];
  behave(behaviour: SessionBehaviour): void;
  /** Where they are, and nothing else. */
  readonly folder: string;
  uninstall(program: "aws" | "session-manager-plugin"): void;
  remove(): void;
}

/** As the real one: ignores Ctrl-C, starts the plugin and waits for it; killed alone, it leaves the plugin behind. */
const AWS = `
const { spawn } = require("node:child_process");
const { appendFileSync, readFileSync } = require("node:fs");
const args = process.argv.slice(2);
if (args[0] === "--version") process.exit(0);
appendFileSync(__dirname + "/sessions", JSON.stringify(args) + "\\n");
const { refusal } = JSON.parse(readFileSync(__dirname + "/behaviour", "utf8"));
if (refusal) {
  console.error("\\n" + refusal);
  process.exit(254);
}
process.on("SIGINT", () => {});
spawn("session-manager-plugin", [args.at(-1)], { stdio: "inherit" }).on("exit", (code) => process.exit(code ?? 1));
`;

/** Listens on the local port and answers as the dashboard or as PostgreSQL would at the other end. */
const PLUGIN = `
const { createServer } = require("node:net");
const { appendFileSync, readFileSync } = require("node:fs");
if (process.argv[2] === "--version") process.exit(0);
appendFileSync(__dirname + "/plugins", process.pid + "\\n");
const { lifeMs } = JSON.parse(readFileSync(__dirname + "/behaviour", "utf8"));
const port = Number(/localPortNumber=(\\d+)/.exec(process.argv[2])[1]);
const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (data) => {
    if (data[0] === 0) socket.write("S");
    else socket.end("HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\nconnection: close\\r\\n\\r\\n");
  });
});
setTimeout(() => server.listen(port, "127.0.0.1"), 200);
process.on("SIGINT", () => process.exit(0));
if (lifeMs) setTimeout(() => process.exit(0), lifeMs);
`;

export function createSessionManager(base: NodeJS.ProcessEnv = process.env): SessionManager {
  const folder = mkdtempSync(join(tmpdir(), "session-manager-"));
  // Programs without an ending are what the nearest package.json says.
  writeFileSync(join(folder, "package.json"), '{"type":"commonjs"}');
  install(folder, "aws", AWS);
  install(folder, "session-manager-plugin", PLUGIN);
  const behave = (behaviour: SessionBehaviour) =>
    writeFileSync(join(folder, "behaviour"), JSON.stringify(behaviour));
  behave({});
  for (const name of ["sessions", "plugins"]) appendFileSync(join(folder, name), "");
  const lines = (name: string) => readFileSync(join(folder, name), "utf8").split("\n").filter(Boolean);
  return {
    env: { ...base, PATH: [folder, dirname(process.execPath), base.PATH].join(delimiter) },
    sessions: () => lines("sessions").map((line) => JSON.parse(line)),
    plugins: () => lines("plugins").map(Number),
    behave,
    folder,
    uninstall: (program) => rmSync(join(folder, program)),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function install(folder: string, name: string, source: string): void {
  const path = join(folder, name);
  writeFileSync(path, `#!${process.execPath}\n${source}`);
  chmodSync(path, 0o755);
}

/** Whether the process is alive. A zombie that nobody has waited for is not. */
export function isAlive(pid: number): boolean {
  const status = `/proc/${pid}/stat`;
  if (existsSync("/proc/self")) return existsSync(status) && !/\) Z /.test(readFileSync(status, "utf8"));
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
