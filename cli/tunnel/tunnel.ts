import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../shared/failure.js";
import { duration } from "../shared/format.js";
import type { Service } from "./service.js";
import { type Forwarding, type Session, startSession } from "./session.js";

export interface TunnelOptions {
  readonly forwarding: Forwarding;
  readonly service: Service;
  /** Aborted when the tunnel is to end. */
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
  /** Told whenever the service answers, after each (re)connection. */
  readonly onOpen: () => void;
  /** Told what goes on, a line each. */
  readonly onEvent: (line: string) => void;
}

/** A session that never answers is given up. A slow network and a cold dashboard need a while. */
const OPEN_MS = 45_000;
const POLL_MS = 300;
const ATTEMPTS = 5;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Keeps the tunnel open until `signal`: Session Manager ends each session after about an hour, and every one that ends
 * is followed by the next.
 *
 * @throws {CommandError} five sessions in a row, or the very first, came to nothing
 */
export async function keepTunnel(options: TunnelOptions): Promise<void> {
  const { signal, onEvent } = options;
  let failures = 0;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const session = await runSession(options);
    if (signal.aborted) return;
    failures = session.failure === null ? 0 : failures + 1;
    if (session.failure !== null && (isFirst || failures === ATTEMPTS))
      throw new CommandError(session.failure);
    onEvent(session.failure ?? `The session ended after ${duration(session.openMs)}.`);
    await pause(failures, signal);
    if (!signal.aborted) onEvent("Reconnecting …");
  }
}

/** How a session went: how long it was open, or why it never was. */
type SessionResult = { readonly failure: null; readonly openMs: number } | { readonly failure: string };

async function runSession({
  forwarding,
  service,
  signal,
  env,
  onOpen,
}: TunnelOptions): Promise<SessionResult> {
  const session = startSession(forwarding, env);
  const stopped = stopOnAbort(session, signal);
  try {
    const isOpen = await waitUntilOpen(session, service, forwarding.localPort, signal);
    if (signal.aborted) return { failure: null, openMs: 0 };
    if (!isOpen) return { failure: await explainClosed(session, service) };
    const since = performance.now();
    onOpen();
    await session.ended;
    return { failure: null, openMs: performance.now() - since };
  } finally {
    stopped.forget();
    await session.stop();
  }
}

function stopOnAbort(session: Session, signal: AbortSignal) {
  const stop = () => void session.stop();
  signal.addEventListener("abort", stop, { once: true });
  return { forget: () => signal.removeEventListener("abort", stop) };
}

/** @returns false when the session ended, or nothing answered in time */
async function waitUntilOpen(
  session: Session,
  service: Service,
  localPort: number,
  signal: AbortSignal,
): Promise<boolean> {
  let isOver = false;
  void session.ended.then(() => {
    isOver = true;
  });
  const deadline = performance.now() + OPEN_MS;
  while (!isOver && !signal.aborted && performance.now() < deadline) {
    if (await service.answers(localPort)) return true;
    await Promise.race([session.ended, sleep(POLL_MS)]);
  }
  return false;
}

async function explainClosed(session: Session, { port }: Service): Promise<string> {
  const silent = `Nothing answers on port ${port} of the host within ${duration(OPEN_MS)}: npm run doctor says whether the host is well.`;
  const said = await Promise.race([session.ended, sleep(0, undefined)]);
  if (said === undefined) return silent;
  return `The session could not be started: ${said ?? "the AWS CLI gave no reason"}`;
}

function pause(failures: number, signal: AbortSignal): Promise<unknown> {
  const ms = Math.min(1000 * 2 ** failures, LONGEST_PAUSE_MS);
  return sleep(ms, undefined, { signal }).catch(() => undefined);
}
