import type { ContractFinding, ContractSummary } from "../types.js";

/** What is told apart of a run or a chunk; the rest is `other`. A stranger names events and fields. */
const MAX_FINDINGS = 200;
const MAX_NAME = 100;
const OTHER = "other";

/** Counts where events differ from the contract, by event, field and kind. */
export class ContractTally {
  checked = 0;
  readonly #findings = new Map<string, ContractFinding>();

  add(event: string, field: string, kind: string, events = 1): void {
    const [name, place, what] = [event, field, kind].map((text) =>
      text.replaceAll("\0", "").slice(0, MAX_NAME).toWellFormed(),
    ) as [string, string, string];
    const key = JSON.stringify([name, place, what]);
    const found = this.#findings.get(key);
    if (found) found.events += events;
    else if (this.#findings.size < MAX_FINDINGS || name === OTHER)
      this.#findings.set(key, { event: name, field: place, kind: what, events });
    else this.add(OTHER, OTHER, OTHER, events);
  }

  /** The most frequent first. */
  get summary(): ContractSummary {
    const findings = [...this.#findings.values()].sort((one, other) => other.events - one.events);
    return { checked: this.checked, findings };
  }
}
