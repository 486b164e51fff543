/**
 * Runs `sources` side by side, `concurrency` of them at a time and the first ones first, and yields what is ready: of
 * several the first one's, so that a slow reader has them one after the other. Each is at most one value ahead of its
 * reader. An error ends all of them; so does leaving a `for await`.
 */
export async function* sideBySide<T>(
  sources: Iterable<() => AsyncIterable<T>>,
  concurrency: number,
): AsyncGenerator<T> {
  const waiting = sources[Symbol.iterator]();
  const running: Running<T>[] = [];
  const startOne = () => {
    const { value: source, done } = waiting.next();
    if (!done) running.push(new Running(source()));
  };
  for (let started = 0; started < concurrency; started++) startOne();
  try {
    while (running.length > 0) {
      await Promise.race(running.map(({ upcoming }) => upcoming));
      const at = running.findIndex(({ result }) => result !== undefined);
      const next = running[at] as Running<T>;
      const result = next.result as IteratorResult<T>;
      if (result.done) {
        running.splice(at, 1);
        startOne();
        continue;
      }
      next.readOn();
      yield result.value;
    }
  } finally {
    // Not waited for: one may be in the middle of a retry that nobody needs any more.
    for (const { iterator } of running) void iterator.return?.()?.then(undefined, () => undefined);
  }
}

class Running<T> {
  readonly iterator: AsyncIterator<T>;
  /** Settles with `result`. */
  upcoming: Promise<void>;
  result: IteratorResult<T> | undefined;

  constructor(source: AsyncIterable<T>) {
    this.iterator = source[Symbol.asyncIterator]();
    this.upcoming = this.#next();
  }

  readOn(): void {
    this.result = undefined;
    this.upcoming = this.#next();
  }

  #next(): Promise<void> {
    const next = this.iterator.next().then((result) => {
      this.result = result;
    });
    next.catch(() => undefined); // met by whoever reads on, if anybody does
    return next;
  }
}
