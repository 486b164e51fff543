import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import type { Outcome } from "../lambda/runtime-api.js";

/** Runs a function; null: all of its execution environments are busy. */
export type Invoke = (event: unknown) => Promise<Outcome> | null;

/** By the function's name. */
export type Functions = Map<string, Invoke>;

const PATH = /^\/2015-03-31\/functions\/(?:[^/]*%3A|[^/]*:)?([\w-]+)\/invocations$/;

/** The function that is to be run, when it is one of these. */
export const invokedFunction = (functions: Functions, { method, url = "" }: IncomingMessage): Invoke | null =>
  (method === "POST" && functions.get(PATH.exec(url)?.[1] ?? "")) || null;

/** As Lambda answers, on the request and on behalf of the function. */
export async function answerInvocation(
  invoke: Invoke,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const running = invoke(await json(incoming));
  const headers = { "content-type": "application/json", "x-amzn-requestid": randomUUID() };
  if (!running) {
    outgoing.writeHead(429, { ...headers, "x-amzn-errortype": "TooManyRequestsException" });
    outgoing.end(JSON.stringify({ Reason: "ConcurrentInvocationLimitExceeded", message: "Rate Exceeded." }));
    return;
  }
  const outcome = await running;
  const isError = "error" in outcome;
  outgoing.writeHead(200, { ...headers, ...(isError && { "x-amz-function-error": "Unhandled" }) });
  outgoing.end(JSON.stringify(isError ? { ...outcome.error, trace: [] } : outcome.result));
}
