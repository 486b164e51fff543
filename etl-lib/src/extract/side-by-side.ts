/**
 * Runs `sources` side by side, `concurrency` of them at a time and the first ones first, and yields what they yield as it
 * comes. Each is at most one value ahead of whoever reads. An error ends all of them; so does leaving a `for await`.
 */
export async function* sideBySide<T>(
  sources: Iterable<() => AsyncIterable<T>>,
  concurrency: number,
): AsyncGenerator<T> {
  const waiting = sources[Symbol.iterator]();
  const running = new Set<Running<T>>();
  const startOne = () => {
    const { value: source, done } = waiting.next();
    if (!done) running.add(new Running(source()));
  };
  for (let started = 0; started < concurrency; started++) startOne();
  try {
    while (running.size > 0) {
      const { from, result } = await Promise.race([...running].map(({ upcoming }) => upcoming));
      if (result.done) {
        running.delete(from);
        startOne();
        continue;
      }
      from.readOn();
      yield result.value;
    }
  } finally {
    // Not waited for: one may be in the middle of a retry that nobody needs any more.
    for (const { iterator } of running) void iterator.return?.()?.then(undefined, () => undefined);
  }
}

class Running<T> {
  readonly iterator: AsyncIterator<T>;
  upcoming: Promise<{ readonly from: Running<T>; readonly result: IteratorResult<T> }>;

  constructor(source: AsyncIterable<T>) {
    this.iterator = source[Symbol.asyncIterator]();
    this.upcoming = this.#next();
  }

  readOn(): void {
    this.upcoming = this.#next();
  }

  #next() {
    const next = this.iterator.next().then((result) => ({ from: this, result }));
    next.catch(() => undefined); // met by whoever reads on, if anybody does
    return next;
  }
}
