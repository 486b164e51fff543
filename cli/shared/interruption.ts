/** Someone stopped the command. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  override readonly message = "Interrupted.";
}

export interface Interruption {
  readonly signal: AbortSignal;
  /** Rejects with `Interrupted` when the grace after the signal is over; never resolves. */
  readonly overdue: Promise<never>;
  /** Stops listening: from here on a signal ends the process at once. */
  forget(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Listens for Ctrl-C and SIGTERM. A second one ends the process at once. @param graceMs until `overdue` */
export function listenForInterruption(graceMs: number): Interruption {
  const controller = new AbortController();
  let giveUp: (reason: Interrupted) => void;
  const overdue = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  overdue.catch(() => {}); // whoever races it meets it
  const stop = () => {
    forget();
    const interrupted = new Interrupted();
    controller.abort(interrupted);
    setTimeout(() => giveUp(interrupted), graceMs);
  };
  const forget = () => {
    for (const name of SIGNALS) process.off(name, stop);
  };
  for (const name of SIGNALS) process.on(name, stop);
  return { signal: controller.signal, overdue, forget };
}
