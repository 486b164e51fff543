import { connect, createServer, type Socket } from "node:net";
import type { ConnectionConfig } from "../postgres.js";

/** A TCP proxy in front of PostgreSQL that loses what a test asks it to lose. Speaks no TLS. */
export interface PgProxy {
  readonly config: ConnectionConfig;
  /**
   * The next time a client sends `text`, the server gets it and acts on it, but its answer is lost: the connection is
   * cut instead.
   */
  loseAnswerTo(text: string): void;
  /**
   * The next time a client sends `text`, the client's connection is cut at once and the server has not got it yet;
   * `deliver` hands it over, as a network that is slow and not gone. The server goes on unaware of the cut.
   */
  holdBack(text: string): Promise<{ deliver(): void }>;
  close(): Promise<void>;
}

interface Trap {
  readonly text: Buffer;
  spring(client: Socket, server: Socket, data: Buffer): void;
}

export async function startPgProxy(config: ConnectionConfig): Promise<PgProxy> {
  const sockets = new Set<Socket>();
  let trap: Trap | undefined;

  const proxy = createServer((client) => {
    const server = connect(config.port, config.host);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => {}); // the other side sees it close
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("data", (data) => {
      if (trap && data.includes(trap.text)) {
        const { spring } = trap;
        trap = undefined;
        spring(client, server, data);
      } else server.write(data);
    });
    server.on("data", (data) => client.write(data));
    server.on("close", () => client.destroy());
    client.on("end", () => server.end());
  });
  await new Promise<void>((resolve) => proxy.listen(0, config.host, resolve));

  return {
    config: { ...config, port: (proxy.address() as { port: number }).port },
    loseAnswerTo(text) {
      trap = {
        text: Buffer.from(`${text}\0`),
        spring(client, server, data) {
          server.removeAllListeners("data");
          server.once("data", () => {
            client.destroy();
            server.destroy();
          });
          server.write(data);
        },
      };
    },
    holdBack: (text) =>
      new Promise((resolve) => {
        trap = {
          text: Buffer.from(`${text}\0`),
          spring(client, server, data) {
            client.removeAllListeners("end");
            client.destroy();
            resolve({ deliver: () => void server.write(data) });
          },
        };
      }),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
