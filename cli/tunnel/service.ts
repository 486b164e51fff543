import { connect } from "node:net";
import { LOOPBACK } from "../../connect/local-port.js";
import { PORTS } from "../../stacks/names.js";

/** What a tunnel can lead to. */
export interface Service {
  /** The port on the warehouse's host. */
  readonly port: number;
  readonly localPort: number;
  /**
   * Whether the service itself answers through the local port. That the port is open says little: Session Manager's
   * plugin opens it before it knows whether anything listens at the other end.
   */
  answers(localPort: number): Promise<boolean>;
}

const PROBE_MS = 3_000;

export const SERVICES = {
  dashboard: { port: PORTS.shiny, localPort: PORTS.shiny, answers: answersHttp },
  psql: { port: PORTS.postgres, localPort: PORTS.localPostgres, answers: answersPostgres },
} as const satisfies Readonly<Record<string, Service>>;

export type ServiceName = keyof typeof SERVICES;

async function answersHttp(localPort: number): Promise<boolean> {
  const signal = AbortSignal.timeout(PROBE_MS);
  const answer = await fetch(`http://${LOOPBACK}:${localPort}/`, { method: "HEAD", signal }).catch(
    () => null,
  );
  return answer !== null;
}

/** PostgreSQL's SSLRequest, which it answers with one byte before it asks who is there. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

function answersPostgres(localPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(localPort, LOOPBACK, () => socket.write(SSL_REQUEST));
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(PROBE_MS, () => end(false));
    socket.once("data", (data) => end(data[0] === 0x53 || data[0] === 0x4e)); // "S" or "N"
    socket.once("error", () => end(false));
    socket.once("close", () => resolve(false));
  });
}
