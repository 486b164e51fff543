/**
 * Reads ahead: starts `source` at once and keeps up to `depth` of its values ready, however slowly they are taken.
 * An error reaches the reader in its place. `return` (leaving a `for await`) ends the source.
 */
export function prefetch<T>(source: AsyncIterable<T>, depth: number): AsyncIterableIterator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const ready: Promise<IteratorResult<T>>[] = [];
  const end: IteratorResult<T> = { value: undefined, done: true };
  let last: Promise<unknown> = Promise.resolve();
  let ended = false;

  const readOne = async (): Promise<IteratorResult<T>> => {
    if (ended) return end;
    try {
      const result = await iterator.next();
      ended ||= result.done === true;
      return result;
    } catch (error) {
      ended = true;
      throw error;
    }
  };
  const fill = () => {
    while (!ended && ready.length < depth) {
      const next = last.then(readOne);
      last = next.catch(() => undefined); // whoever takes `next` meets the error
      ready.push(next);
    }
  };
  fill();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const result = await (ready.shift() ?? end);
      fill();
      return result;
    },
    async return() {
      ended = true;
      await last;
      await iterator.return?.();
      return end;
    },
  };
}
