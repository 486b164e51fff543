import { folderOf, type Unit } from "../extract/units.js";
import type { SourceObject } from "../types.js";
import type { FreshPage } from "./fresh-objects.js";

/** An hour or day that the run has done with. */
export interface Covered {
  readonly prefix: string;
  /** Something in it is left to a later run. */
  readonly again: boolean;
}

interface Progress {
  /** Fresh objects that are not settled yet. */
  pending: number;
  isListed: boolean;
  again: boolean;
}

/** Which hours and days a run has done with: listed to their end, and all that was fresh in them is loaded. */
export class Coverage {
  readonly #open = new Map<string, Progress>();
  readonly #folders = new Set<string>();
  readonly #left = new Set<string>();

  /** All that was listed as hours and days, and other folders of a day that something was loaded of, but for those where something is left to do. */
  get folders(): Iterable<string> {
    return [...this.#folders].filter((folder) => !this.#left.has(folder));
  }

  /** @returns what is done with now */
  listed({ unit, fresh, unnamable, isLast }: FreshPage): Covered | null {
    if (unit) this.#folders.add(unit.prefix);
    if (unit && unnamable.length > 0) this.#left.add(unit.prefix);
    return this.#note(unit, (progress) => {
      progress.pending += fresh.length;
      progress.isListed ||= isLast;
      progress.again ||= unnamable.length > 0;
    });
  }

  /** @param left the object could not be loaded */
  settled({ key }: SourceObject, unit: Unit | null, left: boolean): Covered | null {
    const folder = unit?.isDay ? folderOf(key) : null;
    if (folder !== null) this.#folders.add(folder);
    if (left) this.#left.add(folder ?? unit?.prefix ?? "");
    return this.#note(unit, (progress) => {
      progress.pending--;
      progress.again ||= left;
    });
  }

  #note(unit: Unit | null, change: (progress: Progress) => void): Covered | null {
    if (!unit) return null;
    const progress = this.#open.get(unit.prefix) ?? { pending: 0, isListed: false, again: false };
    this.#open.set(unit.prefix, progress);
    change(progress);
    if (!progress.isListed || progress.pending > 0) return null;
    this.#open.delete(unit.prefix);
    return { prefix: unit.prefix, again: progress.again };
  }
}
