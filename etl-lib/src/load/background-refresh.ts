/**
 * New rows that are worth a refresh: each one rebuilds the days at hand, a third of its cost. An hourly run has no more as a
 * rule, and so refreshes once, at its end.
 */
const WORTH_A_REFRESH = 250_000;
/**
 * Rest after a refresh, in multiples of its duration: it uses half of the time at most. Otherwise a load whose files are
 * not in order of time, where each batch touches the hours of all before it, would read them all again every time.
 */
const REST = 1;

/**
 * Refreshes the rollups while a run loads: the run is bounded by its one thread, and the database has
 * time. One refresh at a time, on another connection of the pool. In a pool of one it and the batches take turns, for
 * neither holds a connection while it waits for the other; a batch that waits too long is retried. What it leaves, or
 * fails to do, the run's end does.
 */
export class BackgroundRefresh {
  #rows = 0;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> | undefined;

  /**
   * @param refresh one step
   * @param clock milliseconds
   */
  constructor(
    private readonly refresh: () => Promise<unknown>,
    private readonly clock: () => number,
  ) {}

  /** Tells that so many new rows were committed; starts a refresh when one is due. */
  committed(rows: number): void {
    this.#rows += rows;
    if (this.#underWay || this.#rows <= WORTH_A_REFRESH || this.clock() < this.#restsUntil) return;
    this.#rows = 0;
    this.#underWay = this.#start();
  }

  /** Settles when none is under way; never rejects. */
  async ended(): Promise<void> {
    await this.#underWay;
  }

  async #start(): Promise<void> {
    const since = this.clock();
    try {
      await this.refresh();
    } catch {
      // Its marks are still there: the refresh at the run's end takes them, with retries, and tells what is wrong.
    }
    const now = this.clock();
    this.#restsUntil = now + REST * (now - since);
    this.#underWay = undefined;
  }
}
