import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** What a session forwards, and where. */
export interface Forwarding {
  readonly region: string;
  readonly instanceId: string;
  /** The document that leads to the service's port. */
  readonly document: string;
  readonly localPort: number;
}

/** One `aws ssm start-session`, with the plugin that it starts. */
export interface Session {
  /** Settles when it has ended, with the last line that it said on stderr, or null. */
  readonly ended: Promise<string | null>;
  /** Ends the session, the plugin too. Idempotent. */
  stop(): Promise<void>;
}

const STOP_MS = 4_000;

/**
 * A process group of its own: Ctrl-C of the terminal reaches this command alone, which then ends the group. A killed
 * AWS CLI would leave its plugin behind, and the port taken.
 */
export function startSession(forwarding: Forwarding, env: NodeJS.ProcessEnv): Session {
  const child = spawn("aws", sessionArguments(forwarding), {
    env,
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = endOf(child);
  return {
    ended,
    async stop() {
      for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
        if (!signalGroup(child, signal)) return;
        await Promise.race([ended, sleep(STOP_MS, null, { ref: false })]);
      }
    },
  };
}

function sessionArguments({ region, instanceId, document, localPort }: Forwarding): string[] {
  const session = ["ssm", "start-session", "--region", region, "--target", instanceId];
  return [...session, "--document-name", document, "--parameters", `localPortNumber=${localPort}`];
}

function endOf(child: ChildProcess): Promise<string | null> {
  let last: string | null = null;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    last = text.trim().split("\n").at(-1) || last;
  });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", () => resolve(last));
  });
}

/** @returns false when nothing of the group is left */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
