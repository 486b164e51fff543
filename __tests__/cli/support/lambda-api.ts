import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { RunSummary } from "etl-lib";
import type { BackfillEvent } from "../../../cli/backfill/invoke.js";

/** What an invocation comes to: an answer, an error of the function, or a refusal of the service. */
export type Answer =
  | { readonly summary: RunSummary }
  | { readonly functionError: string }
  | { readonly refusal: { readonly status: number; readonly type: string; readonly message: string } };

/** Lambda's Invoke over HTTP, request and answer; what a function does is the test's. moto runs functions in Docker only. */
export interface LambdaApi {
  readonly url: string;
  /** Events in the order in which they came. */
  readonly events: BackfillEvent[];
  /** Most invocations at a time so far. */
  readonly peak: number;
  stop(): Promise<void>;
}

const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/** @param run the function: gets each event of an invocation of `functionName` */
export async function startLambdaApi(
  functionName: string,
  run: (event: BackfillEvent) => Answer | Promise<Answer>,
): Promise<LambdaApi> {
  const state = { events: [] as BackfillEvent[], peak: 0 };
  let running = 0;
  const server = createServer(async (request, response) => {
    const event: BackfillEvent = JSON.parse(await text(request));
    if (INVOKE.exec(request.url ?? "")?.[1] !== functionName) return send(response, NOT_FOUND);
    state.events.push(event);
    running += 1;
    state.peak = Math.max(state.peak, running);
    const answer = await run(event);
    running -= 1;
    send(response, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return Object.assign(state, { url, stop });
}

const NOT_FOUND: Answer = {
  refusal: { status: 404, type: "ResourceNotFoundException", message: "Function not found" },
};

function send(response: ServerResponse<IncomingMessage>, answer: Answer): void {
  if ("refusal" in answer) {
    const { status, type, message } = answer.refusal;
    response.writeHead(status, { "x-amzn-errortype": type }).end(JSON.stringify({ message }));
  } else if ("functionError" in answer) {
    response.writeHead(200, { "x-amz-function-error": "Unhandled" });
    response.end(JSON.stringify({ errorType: "RunFailedError", errorMessage: answer.functionError }));
  } else response.writeHead(200).end(JSON.stringify(answer.summary));
}

/** A run's answer. */
export function summary(
  counts: { loaded?: number; remaining?: number; events?: Partial<RunSummary["events"]> } = {},
): RunSummary {
  const { loaded = 1, remaining = 0, events = {} } = counts;
  return {
    status: remaining === 0 ? "succeeded" : "partial",
    runId: "0",
    window: null,
    dryRun: false,
    objects: { listed: loaded + remaining, alreadyLoaded: 0, loaded, failed: 0, remaining, unlisted: 0 },
    events: { read: 0, inserted: 0, duplicates: 0, rejected: 0, ...events },
    rejects: {},
    warnings: {},
    sealed: 0,
    durationMs: 1,
    error: null,
    rollupsRefreshed: true,
    errors: [],
  };
}
