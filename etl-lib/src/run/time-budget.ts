import { ExtractError } from "../errors.js";
import type { SourceObject } from "../types.js";

/** An object that had less of the budget than this when it was broken off may well be finished by the next run. */
const FAIR_SHARE = 0.4;
/** So much an object has even when the time is up: the first one of a run that spent it all on the listing. */
const LEAST_SHARE = 0.1;
/** How much of a run's time is left, and how much of it one object may take. */
export class TimeBudget {
  readonly #startedAt: number;

  /**
   * @param clock milliseconds
   * @param budgetMs undefined: as long as it takes
   */
  constructor(
    private readonly clock: () => number,
    private readonly budgetMs: number | undefined,
  ) {
    this.#startedAt = clock();
  }

  get leftMs(): number {
    if (this.budgetMs === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#startedAt + this.budgetMs - this.clock());
  }

  get isUp(): boolean {
    return this.leftMs === 0;
  }

  /** What `work` gives; undefined when the time is up first: then nobody waits for it any more. */
  async unlessUp<T>(work: Promise<T>): Promise<T | undefined> {
    if (this.budgetMs === undefined) return work;
    let timer: NodeJS.Timeout | undefined;
    const up = new Promise<undefined>((resolve) => {
      timer = setTimeout(
        () => resolve(undefined),
        Math.max(this.leftMs, LEAST_SHARE * (this.budgetMs as number)),
      );
    });
    work.catch(() => undefined);
    return Promise.race([work, up]).finally(() => clearTimeout(timer));
  }

  /**
   * Gives an object half of the time that is left, so that it is in nobody's way, or all of it when nothing is behind it.
   * @returns throws when that is used up
   */
  begin({ bucket, key }: SourceObject, isLast: boolean): () => void {
    if (this.budgetMs === undefined) return () => undefined;
    const startedAt = this.clock();
    const share = Math.max(isLast ? this.leftMs : this.leftMs / 2, LEAST_SHARE * this.budgetMs);
    return () => {
      if (this.clock() - startedAt < share) return;
      const isFair = share >= FAIR_SHARE * (this.budgetMs as number);
      throw new ExtractError(isFair ? "unfinished" : "changed", tooSlow(key, share), {
        object: `${bucket}/${key}`,
      });
    };
  }
}

const tooSlow = (key: string, ms: number): string =>
  `${key} was not finished in the ${(ms / 1000).toFixed(1)} s it had of the run's time budget, and nothing of it was kept: from now on it is read last; a run with a larger time budget, or with none, loads it.`;
