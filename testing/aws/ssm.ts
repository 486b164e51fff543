import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** Systems Manager's parameters as far as the function uses them: `GetParameter` over HTTP. */
export interface ParameterStore {
  readonly url: string;
  /** The parameters, to be changed at will: each change is a version. */
  readonly values: Parameters;
  /** Names in the order in which they were read. */
  readonly reads: string[];
  /** The next so many requests are answered with 503. */
  failures: number;
  stop(): Promise<void>;
}

/** The newest values; the older versions are read by `NAME:VERSION`. */
class Parameters extends Map<string, string> {
  readonly #versions = new Map<string, string[]>();

  override set(name: string, value: string): this {
    this.versions(name).push(value);
    return super.set(name, value);
  }

  versions(name: string): string[] {
    const versions = this.#versions.get(name) ?? [];
    this.#versions.set(name, versions);
    return versions;
  }
}

export async function startParameterStore(): Promise<ParameterStore> {
  const server = createServer(async (request, response) => {
    const { Name } = JSON.parse(await text(request)) as { Name: string };
    const [status, body] = answer(store, Name);
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const store: ParameterStore = {
    url,
    values: new Parameters(),
    reads: [],
    failures: 0,
    stop: () => stop(server),
  };
  return store;
}

function answer(store: ParameterStore, name: string): [status: number, body: object] {
  if (store.failures > 0) {
    store.failures -= 1;
    return [503, { __type: "ServiceUnavailable" }];
  }
  store.reads.push(name);
  const [base = "", version] = name.split(":");
  const versions = store.values.has(base) ? store.values.versions(base) : [];
  const number = version === undefined ? versions.length : Number(version);
  const value = versions[number - 1];
  if (value === undefined) return [400, { __type: "ParameterNotFound" }];
  return [200, { Parameter: { Name: base, Type: "SecureString", Value: value, Version: number } }];
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
