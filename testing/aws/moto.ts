import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A running AWS emulator, empty at the start. */
export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

const READY = /Running on (http:\/\/127\.0\.0\.1:\d+)/;
const START_TIMEOUT_MS = 60_000;

/** What Python runs before moto_server, so that state machines are executed. */
const EXECUTES_MACHINES = fileURLToPath(new URL("moto", import.meta.url));

/**
 * Starts moto_server on a free port.
 * @param services where state machines that it executes find functions and buckets; null: it executes none
 * @throws when it does not come up
 */
export async function startMoto(services: URL | null): Promise<Moto> {
  const child = spawn("moto_server", ["-H", "127.0.0.1", "-p", "0"], {
    // Its policy list is what AmazonSSMManagedInstanceCore is attached from.
    env: {
      ...process.env,
      MOTO_IAM_LOAD_MANAGED_POLICIES: "true",
      ...(services && { MOTO_PORT: services.port, PYTHONPATH: EXECUTES_MACHINES }),
    },
    stdio: ["ignore", "ignore", "pipe"],
    // pyenv and the like start moto_server through a shell: the group is what has to be stopped.
    detached: true,
  });
  // For a test process that ends without its hooks: nothing is left running.
  process.once("exit", () => signalGroup(child));
  const stop = () => stopGroup(child);
  try {
    return { url: await announcedUrl(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function announcedUrl(child: ChildProcess): Promise<string> {
  const heard: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`moto_server ${why}: ${heard.slice(-5).join("\n")}`));
    const timer = setTimeout(() => fail(`is not up after ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    child.once("error", reject);
    child.once("exit", (code) => fail(`exited with ${code}`));
    // The reader stays: a full pipe would stop the server, which logs every request.
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
      if (heard.length < 50) heard.push(line);
      const url = READY.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}

async function stopGroup(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  if (signalGroup(child)) await exited;
}

/** @returns false when it has ended already, or never began */
function signalGroup({ pid, exitCode, signalCode }: ChildProcess): boolean {
  if (pid === undefined || exitCode !== null || signalCode !== null) return false;
  return process.kill(-pid, "SIGTERM");
}
