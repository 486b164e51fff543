import { connect, createServer } from "node:net";

export const LOOPBACK = "127.0.0.1";

/** `wanted` when it can be bound, else any free port. */
export async function choosePort(wanted: number): Promise<number> {
  return (await tryPort(wanted)) ?? (await tryPort(0)) ?? wanted;
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(null));
    probe.listen(port, LOOPBACK, () => {
      const address = probe.address();
      probe.close(() => resolve(address !== null && typeof address === "object" ? address.port : null));
    });
  });
}

/** Whether something listens on the local port already. */
export function isTaken(localPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(localPort, LOOPBACK, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
