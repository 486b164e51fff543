import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { RunSummary } from "etl-lib";

/** What an invocation ended with: the function's answer, or the error as Lambda reports it. */
export type Outcome = { readonly result: RunSummary } | { readonly error: LambdaError };

export interface LambdaError {
  /** The error's name; `Runtime.ExitError` when the process is gone, `Sandbox.Timedout` when its time was up. */
  readonly errorType: string;
  readonly errorMessage: string;
}

interface Invocation {
  readonly id: string;
  readonly event: string;
  readonly deadline: number;
  settle(outcome: Outcome): void;
}

const BASE = "/2018-06-01/runtime";
const ARN = "arn:aws:lambda:ap-southeast-1:123456789012:function:SBW_Lamda_ETL";

/** Lambda's side of the runtime API, for one execution environment: one invocation at a time. */
export class RuntimeApi {
  #waiting: ServerResponse | null = null;
  #queued: Invocation[] = [];
  #current: Invocation | null = null;
  #ended: LambdaError | null = null;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  /** @param onTimeout called when an invocation has used up its time */
  constructor(private readonly onTimeout: () => void) {}

  /** @returns the value of AWS_LAMBDA_RUNTIME_API */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @param patienceMs that a run may go on past the deadline it was given before it is killed */
  invoke(event: unknown, timeoutMs: number, patienceMs = 0): Promise<Outcome> {
    return new Promise((resolve) => {
      if (this.#ended) return resolve({ error: this.#ended });
      const timer = setTimeout(() => {
        this.end({ errorType: "Sandbox.Timedout", errorMessage: `Task timed out after ${timeoutMs} ms` });
        this.onTimeout();
      }, timeoutMs + patienceMs);
      this.#queued.push({
        id: randomUUID(),
        event: JSON.stringify(event),
        deadline: Date.now() + timeoutMs,
        settle: (outcome) => {
          clearTimeout(timer);
          resolve(outcome);
        },
      });
      this.#deliver();
    });
  }

  /** The process is gone: so is whatever it was asked, and will be. */
  end(error: LambdaError): void {
    this.#ended ??= error;
    const open = [...(this.#current ? [this.#current] : []), ...this.#queued.splice(0)];
    this.#current = null;
    for (const { settle } of open) settle({ error: this.#ended });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.slice(BASE.length) ?? "";
    if (path === "/invocation/next") {
      this.#waiting = response;
      return this.#deliver();
    }
    const body = JSON.parse((await text(request)) || "null");
    const [, id, kind] = /^\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (path === "/init/error") this.end(body);
    else if (id !== undefined && id === this.#current?.id) {
      this.#current.settle(kind === "response" ? { result: body } : { error: body });
      this.#current = null;
    }
    response.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}');
  }

  #deliver(): void {
    if (this.#waiting === null || this.#current !== null) return;
    const next = this.#queued.shift();
    if (next === undefined) return;
    this.#current = next;
    this.#waiting.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": next.id,
      "lambda-runtime-deadline-ms": `${next.deadline}`,
      "lambda-runtime-invoked-function-arn": ARN,
      "lambda-runtime-trace-id": "Root=1-00000000-000000000000000000000000;Sampled=0",
    });
    this.#waiting.end(next.event);
    this.#waiting = null;
  }
}
