import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { RunSummary } from "etl-lib";
import { unzipSync } from "fflate";
import { bundleFunction } from "../../functions/etl/bundle.js";
import { HANDLER } from "../../functions/etl/contract.js";

/** What an invocation gave back: the answer, or the error as Lambda would report it. */
export type Invocation =
  | { readonly result: RunSummary }
  | { readonly error: { readonly name: string; readonly message: string } };

/** The deployment package, unpacked and running in a process of its own, as in a warm execution environment. */
export interface RunningFunction {
  /** Every line of JSON that the function has logged. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  invoke(event: unknown, options?: { remainingMs?: number }): Promise<Invocation>;
  stop(): Promise<void>;
}

const FIVE_MINUTES = 300_000;

/** What Lambda's runtime does: load the handler once, then answer one event after the other. */
const RUNTIME = `
  const { [process.env.RUNTIME_EXPORT]: handler } = await import(process.env.RUNTIME_MODULE);
  process.on("message", async ({ event, remainingMs }) => {
    const end = Date.now() + remainingMs;
    const context = { awsRequestId: "test", getRemainingTimeInMillis: () => end - Date.now() };
    try {
      process.send({ result: await handler(event, context) });
    } catch ({ name, message }) {
      process.send({ error: { name, message } });
    }
  });
`;

export function startFunction(env: Readonly<Record<string, string>>): RunningFunction {
  const folder = mkdtempSync(join(tmpdir(), "function-"));
  unpack(bundleFunction(folder).zipPath, folder);
  const [module = "", name = ""] = HANDLER.split(".");
  const child = spawn(process.execPath, ["--input-type=module", "--eval", RUNTIME], {
    cwd: folder,
    env: {
      NODE_NO_WARNINGS: "1",
      RUNTIME_MODULE: join(folder, `${module}.mjs`),
      RUNTIME_EXPORT: name,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const log: Record<string, unknown>[] = [];
  for (const input of [child.stdout, child.stderr] as NodeJS.ReadableStream[]) {
    createInterface({ input }).on("line", (line) => log.push(JSON.parse(line)));
  }
  return {
    log,
    invoke: (event, { remainingMs = FIVE_MINUTES } = {}) => invoke(child, { event, remainingMs }),
    stop: async () => {
      child.kill();
      await once(child, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function invoke(child: ChildProcess, message: object): Promise<Invocation> {
  child.send(message);
  const [answer] = await once(child, "message");
  return answer as Invocation;
}

function unpack(zipPath: string, folder: string): void {
  for (const [name, content] of Object.entries(unzipSync(readFileSync(zipPath)))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}
