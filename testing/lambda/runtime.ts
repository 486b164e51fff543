import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { unzipSync } from "fflate";
import type { Toolchain } from "../e2e/toolchain.js";
import { limitMemory, type MemoryLimit, peakMemory } from "./memory.js";
import { type Outcome, RuntimeApi } from "./runtime-api.js";

export interface LambdaFunction {
  readonly toolchain: Toolchain;
  /** The unpacked deployment package. */
  readonly folder: string;
  readonly name: string;
  /** `etl/index.handler` */
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly region: string;
  /** What the function's configuration says, and what is redirected. */
  readonly environment: Readonly<Record<string, string>>;
}

export type LogLine = Readonly<Record<string, unknown>>;

const WATCH_MS = 100;

/** Lays the package out as Lambda does: nobody may write there. */
export function unpackReadOnly(zip: Uint8Array, folder: string): void {
  for (const [name, content] of Object.entries(unzipSync(zip))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content, { mode: 0o444 });
  }
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o555);
  chmodSync(folder, 0o555);
}

/** One execution environment: a process of the function under Node 22 and the runtime interface client. */
export class LambdaProcess {
  /** Every line of JSON that it has logged. */
  readonly log: LogLine[] = [];
  /** Every other line. */
  readonly otherOutput: string[] = [];
  /** MiB resident at most so far. */
  peakMb = 0;
  readonly #watch: NodeJS.Timeout;
  #isStopped = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly api: RuntimeApi,
    private readonly limit: MemoryLimit,
    private readonly options: LambdaFunction,
  ) {
    for (const input of [child.stdout, child.stderr] as NodeJS.ReadableStream[])
      createInterface({ input }).on("line", (line) => this.#hear(line));
    this.#watch = setInterval(() => this.#measure(), WATCH_MS).unref();
    child.once("exit", (code, signal) => {
      const reason = signal ? `signal: ${signal}` : `exit status ${code}`;
      api.end({ errorType: "Runtime.ExitError", errorMessage: `Runtime exited with error: ${reason}` });
    });
  }

  static async start(options: LambdaFunction): Promise<LambdaProcess> {
    const api = new RuntimeApi(() => child.kill("SIGKILL"));
    const environment = lambdaEnvironment(options, await api.listen());
    const limit = limitMemory(options.memoryMb);
    const child = spawn("sh", ["-c", HELD, "sh", limit.procs, ...command(options)], {
      cwd: options.folder,
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new LambdaProcess(child, api, limit, options);
  }

  /**
   * @param timeoutMs until the deadline that the function is given. @default its configured time limit
   * @param patienceMs that it may go on behind that: the machine of the tests may be busy. @default 0
   */
  async invoke(
    event: unknown,
    timeoutMs = this.options.timeoutSeconds * 1000,
    patienceMs = 0,
  ): Promise<Outcome> {
    const outcome = await this.api.invoke(event, timeoutMs, patienceMs);
    this.#measure();
    return outcome;
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#measure();
    clearInterval(this.#watch);
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, "exit");
      this.kill();
      await exited;
    }
    await this.api.close();
    this.limit.remove();
  }

  #hear(line: string): void {
    try {
      this.log.push(JSON.parse(line));
    } catch {
      this.otherOutput.push(line);
    }
  }

  /** The kernel enforces the limit where it may; where not, this does. */
  #measure(): void {
    this.peakMb = Math.max(this.peakMb, peakMemory(this.child.pid ?? 0));
    if (this.peakMb > this.options.memoryMb) this.kill();
  }
}

/** Joins the memory group, then becomes the function. */
const HELD = 'echo $$ >"$1"; shift; exec "$@"';

/** Without root's capabilities a read-only folder is one. */
const UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];

function command({ toolchain, memoryMb, handler }: LambdaFunction): string[] {
  return [
    ...UNPRIVILEGED,
    toolchain.node,
    "--expose-gc",
    `--max-old-space-size=${Math.floor(memoryMb * 0.9)}`,
    `--max-semi-space-size=${Math.floor(memoryMb * 0.05)}`,
    toolchain.client,
    handler,
  ];
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
function lambdaEnvironment(options: LambdaFunction, api: string): Record<string, string> {
  const { name, handler, memoryMb, region, folder, environment } = options;
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: folder,
    LAMBDA_RUNTIME_DIR: dirname(options.toolchain.client),
    AWS_LAMBDA_RUNTIME_API: api,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: `${memoryMb}`,
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: "2025/12/06/[$LATEST]0123456789abcdef",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: "emulator",
    AWS_SECRET_ACCESS_KEY: "emulator",
    AWS_SESSION_TOKEN: "emulator",
    ...environment,
  };
}
