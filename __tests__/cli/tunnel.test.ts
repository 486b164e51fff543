import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { expect } from "chai";
import { assertFree, assertPrograms } from "../../cli/tunnel/prerequisites.js";
import { SERVICES } from "../../cli/tunnel/service.js";
import { keepTunnel } from "../../cli/tunnel/tunnel.js";
import { isTaken, LOOPBACK } from "../../connect/local-port.js";
import { createSessionManager, isAlive, type SessionManager } from "../../testing/cli/session-manager.js";

const REFUSAL =
  "An error occurred (TargetNotConnected) when calling the StartSession operation: i-0abc is not connected.";

describe("the tunnel", function () {
  this.timeout(30_000);
  let manager: SessionManager;
  let localPort: number;

  beforeEach(async () => {
    manager = createSessionManager();
    localPort = await freePort();
  });
  afterEach(() => manager.remove());

  /** Keeps a tunnel until `until` says so. @returns what it told */
  async function tunnel(
    until: (opened: number, stop: () => void) => void,
    name: "dashboard" | "psql" = "dashboard",
  ): Promise<string[]> {
    const controller = new AbortController();
    const lines: string[] = [];
    let opened = 0;
    await keepTunnel({
      forwarding: {
        region: "eu-west-1",
        instanceId: "i-0abc",
        document: `clickstream-test-${name}`,
        localPort,
      },
      service: SERVICES[name],
      signal: controller.signal,
      env: manager.env,
      onOpen: () => {
        opened += 1;
        until(opened, () => controller.abort());
      },
      onEvent: (line) => lines.push(line),
    });
    return lines;
  }

  it("starts a port forwarding session through the AWS CLI, and is open only when the service answers", async () => {
    let taken: Promise<boolean> | undefined;
    await tunnel((_, stop) => {
      taken = isTaken(localPort);
      void taken.then(stop);
    });
    expect(await taken).to.equal(true);
    expect(manager.sessions()).to.deep.equal([
      [
        ...["ssm", "start-session", "--region", "eu-west-1", "--target", "i-0abc"],
        ...["--document-name", "clickstream-test-dashboard"],
        ...["--parameters", `localPortNumber=${localPort}`],
      ],
    ]);
  });

  it("forwards PostgreSQL's port too", async () => {
    await tunnel((_, stop) => stop(), "psql");
    expect(manager.sessions()[0]?.at(-1)).to.equal(`localPortNumber=${localPort}`);
  });

  it("reconnects whenever the session ends", async () => {
    manager.behave({ lifeMs: 900 });
    const lines = await tunnel((opened, stop) => {
      if (opened === 3) stop();
    });
    expect(manager.sessions()).to.have.length(3);
    expect(lines.filter((line) => line === "Reconnecting …")).to.have.length(2);
    expect(lines[0]).to.match(/^The session ended after [\d.]+ m?s\.$/);
  });

  it("ends the CLI and its plugin when it is stopped, and frees the port", async () => {
    await tunnel((_, stop) => stop());
    expect(manager.plugins()).to.have.length(1);
    expect(manager.plugins().filter(isAlive)).to.deep.equal([]);
    expect(await isTaken(localPort)).to.equal(false);
  });

  it("says what the CLI said when the first session is refused", async () => {
    manager.behave({ refusal: REFUSAL });
    const error = await failure(tunnel(() => {}));
    expect(error.message).to.equal(`The session could not be started: ${REFUSAL}`);
    expect(manager.sessions()).to.have.length(1);
  });

  it("tries again when a later session is refused", async () => {
    manager.behave({ lifeMs: 700 });
    const lines = await tunnel((opened, stop) => {
      if (opened === 2) return stop();
      manager.behave({ refusal: REFUSAL });
      setTimeout(() => manager.behave({}), 2_500);
    });
    expect(lines.join("\n")).to.include("TargetNotConnected");
    expect(manager.sessions().length).to.be.greaterThan(2);
  });

  it("names the program that is missing, and where to get it", () => {
    expect(() => assertPrograms({ PATH: manager.folder })).to.not.throw();
    manager.uninstall("session-manager-plugin");
    expect(() => assertPrograms({ PATH: manager.folder })).to.throw(/plugin is not installed.*https:/);
    manager.uninstall("aws");
    expect(() => assertPrograms({ PATH: manager.folder })).to.throw(/AWS CLI is not installed.*https:/);
  });

  it("names the port that is taken", async () => {
    const server = await listening(createServer());
    const { port } = server.address() as AddressInfo;
    const error = await failure(assertFree(port));
    expect(error.message).to.include(`Port ${port}`).and.include("--port");
    server.close();
    await assertFree(localPort);
  });
});

describe("a service at the end of the tunnel", () => {
  const answers = async (server: Server) => {
    const { port } = (await listening(server)).address() as AddressInfo;
    const [dashboard, psql] = [await SERVICES.dashboard.answers(port), await SERVICES.psql.answers(port)];
    server.close();
    return { dashboard, psql };
  };

  it("is a dashboard when it speaks HTTP, even to say no", async () => {
    const server = createHttpServer((_, response) => response.writeHead(404).end());
    expect(await answers(server)).to.deep.equal({ dashboard: true, psql: false });
  });

  it("is PostgreSQL when it answers the request for TLS", async () => {
    const server = createServer((socket) => socket.once("data", () => socket.end("N")));
    expect(await answers(server)).to.deep.equal({ dashboard: false, psql: true });
  });

  it("is neither when the port opens and closes at once, as it does with nothing behind it", async () => {
    const server = createServer((socket) => socket.end());
    expect(await answers(server)).to.deep.equal({ dashboard: false, psql: false });
  });
});

async function listening<T extends Server>(server: T): Promise<T> {
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  return server;
}

async function freePort(): Promise<number> {
  const server = await listening(createServer());
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail("It should have been refused."),
    (error) => error,
  );
}
