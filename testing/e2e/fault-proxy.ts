import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What may befall a service: nothing, its answer to too many requests, no answer, a connection that is cut. */
export type Trouble = "none" | "throttle" | "hang" | "reset";
export type Service = "s3" | "ssm";

/** The emulator as one function sees it, with faults that are switched on and off. */
export interface FaultProxy {
  readonly url: string;
  readonly trouble: Record<Service, Trouble>;
  /** Requests that met a fault. */
  readonly hits: Record<Service, number>;
  /** Before the `count`th object from now is delivered, and all behind it, `action` is awaited. @returns when it is done */
  holdObject(count: number, action: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const proxy = new Faults();
  const server = createServer((incoming, outgoing) => void proxy.answer(target, incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    trouble: proxy.trouble,
    hits: proxy.hits,
    holdObject: (count, action) => proxy.hold(count, action),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Faults {
  readonly trouble: Record<Service, Trouble> = { s3: "none", ssm: "none" };
  readonly hits: Record<Service, number> = { s3: 0, ssm: 0 };
  #objectsToGo = Number.POSITIVE_INFINITY;
  #reach: () => void = () => {};
  #held: Promise<void> = Promise.resolve();

  hold(count: number, action: () => Promise<void>): Promise<void> {
    this.#objectsToGo = count;
    const reached = new Promise<void>((resolve) => {
      this.#reach = resolve;
    });
    const done = reached.then(action);
    this.#held = done.catch(() => {}); // who holds gets the error, who reads goes on
    return done;
  }

  async answer(target: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const service = serviceOf(incoming);
    if (service !== null && this.trouble[service] !== "none") {
      this.hits[service] += 1;
      strike(this.trouble[service], service, incoming, outgoing);
      return;
    }
    if (service === "s3" && isObject(incoming)) await this.#passHold();
    passOn(target, incoming, outgoing);
  }

  async #passHold(): Promise<void> {
    if (--this.#objectsToGo > 0) return;
    this.#reach();
    await this.#held;
  }
}

/** By the scope of the signature: `…/ap-southeast-1/s3/aws4_request`. */
function serviceOf({ headers }: IncomingMessage): Service | null {
  const service = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? "")?.[1];
  return service === "s3" || service === "ssm" ? service : null;
}

function isObject({ method, url = "" }: IncomingMessage): boolean {
  return method === "GET" && url.includes("/events/");
}

function strike(
  trouble: Trouble,
  service: Service,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  if (trouble === "reset") incoming.socket.resetAndDestroy();
  if (trouble !== "throttle") return; // a request that hangs is simply never answered
  if (service === "s3") {
    outgoing.writeHead(503, { "content-type": "application/xml" });
    outgoing.end("<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>");
  } else {
    outgoing.writeHead(400, { "content-type": "application/x-amz-json-1.1" });
    outgoing.end('{"__type":"ThrottlingException","message":"Rate exceeded"}');
  }
}

function passOn(target: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers, url } = incoming;
  const forwarded = request(target + url, { method, headers, agent: false }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.on("error", () => incoming.socket.destroy());
  outgoing.on("close", () => forwarded.destroy()); // a function that is killed reads no further
  incoming.pipe(forwarded);
}
