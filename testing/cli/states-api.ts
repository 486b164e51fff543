import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** Step Functions over HTTP, request and answer; what an operation answers is the test's. */
export interface StatesApi {
  readonly url: string;
  /** Requests in the order in which they came. */
  readonly requests: { readonly operation: string; readonly body: Readonly<Record<string, unknown>> }[];
  stop(): Promise<void>;
}

/** @param answers by the operation's name; one that is not there is refused */
export async function startStatesApi(answers: {
  readonly [operation: string]: (body: Readonly<Record<string, unknown>>) => object;
}): Promise<StatesApi> {
  const requests: StatesApi["requests"] = [];
  const server = createServer(async (request, response) => {
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const body = JSON.parse(await text(request));
    requests.push({ operation, body });
    const answer = answers[operation];
    response.writeHead(answer ? 200 : 400, { "content-type": "application/x-amz-json-1.0" });
    response.end(
      JSON.stringify(answer ? answer(body) : { __type: "ValidationException", message: operation }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, requests, stop };
}
