import type { ContractSummary } from "../types.js";
import { ContractTally } from "./tally.js";

/** Of each event name of a run, the first ones; then one in so many. */
const FIRST = 200;
const THEN_ONE_IN = 32;
/** Names that are counted by themselves: more share one count. */
const MAX_NAMES = 200;
/** A check follows every member, so longer events are not held against the contract. */
const MAX_CHARS = 64 * 1024;

type Check = typeof import("./check.js").checkEvent;

/**
 * Says which events of a run are held against the contract, so that a change in a rare event is seen as soon as in a frequent
 * one, and a long load pays for one event in 32.
 */
export class ContractSample {
  readonly #seen = new Map<string, number>();
  readonly #tally = new ContractTally();
  #check: Check | undefined;

  /** The validator is loaded when there is something to check: many runs find nothing new. */
  async prepare(): Promise<void> {
    this.#check ??= (await import("./check.js")).checkEvent;
  }

  /** An event that was read; one that is read again after a failure counts again. */
  look(name: string, length: () => number, event: () => unknown): void {
    if (!this.#check || !this.#isDue(name) || length() > MAX_CHARS) return;
    this.#check(name, event(), this.#tally);
  }

  get summary(): ContractSummary {
    return this.#tally.summary;
  }

  #isDue(name: string): boolean {
    const key = this.#seen.has(name) || this.#seen.size < MAX_NAMES ? name : "";
    const seen = this.#seen.get(key) ?? 0;
    this.#seen.set(key, seen + 1);
    return seen < FIRST || seen % THEN_ONE_IN === 0;
  }
}
