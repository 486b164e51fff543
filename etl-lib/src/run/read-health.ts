import type { ExtractError } from "../errors.js";

/** Where nothing but failures in a row is no fault of the objects any more. */
const SUSPICIOUS = { retriable: 5, fatal: 100 };
/** An outage is given up after so many more objects, or so much time, in which not one could be read. */
const OUTAGE = { objects: 1000, ms: 60_000 };

/**
 * Tells objects that cannot be read from a source that cannot be read. What can be read is loaded whatever lies beside
 * it, so only an outage ends the reading early; a missing permission is known at the end, when every object was refused.
 */
export class ReadHealth {
  #hasRead = false;
  readonly #inARow = { retriable: 0, fatal: 0 };
  #last: ExtractError | undefined;
  #suspiciousSince: number | undefined;

  /** @param clock milliseconds */
  constructor(private readonly clock: () => number) {}

  read(): void {
    this.#hasRead = true;
    this.#inARow.retriable = 0;
    this.#inARow.fatal = 0;
    this.#suspiciousSince = undefined;
  }

  failed(error: ExtractError): void {
    if (error.kind === "changed" || error.kind === "unfinished") return;
    this.#last = error;
    this.#inARow[error.kind]++;
    if (this.#inARow.retriable >= SUSPICIOUS.retriable) this.#suspiciousSince ??= this.clock();
  }

  /** Nothing can be read any more, and has not for a while. */
  get isOutage(): boolean {
    if (this.#suspiciousSince === undefined) return false;
    const { retriable } = this.#inARow;
    return retriable >= OUTAGE.objects || this.clock() - this.#suspiciousSince >= OUTAGE.ms;
  }

  /** Why the source itself has failed: the last error, when the reading ended in nothing but errors. */
  get verdict(): ExtractError | undefined {
    const { retriable, fatal } = this.#inARow;
    const isDown = retriable >= SUSPICIOUS.retriable;
    const isForbidden = !this.#hasRead && fatal >= SUSPICIOUS.fatal;
    return isDown || isForbidden ? this.#last : undefined;
  }
}
