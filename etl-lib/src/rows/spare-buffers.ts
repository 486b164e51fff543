/** A full chunk: to grow into it would allocate four times as much. */
const CHUNK_BYTES = 1280 * 1024;
/** Rows and details of the chunks that are made, copied and ahead at the same time. */
const MOST = 10;

const spare: Buffer[] = [];

/**
 * Room for a chunk's rows, used again and again: memory outside of the JavaScript heap that comes and goes makes the
 * garbage collector run, which was a fifth of a load's CPU.
 */
export const takeBuffer = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);

/** @param buffer of which nothing is read or written any more */
export function giveBack(buffer: Buffer): void {
  if (buffer.length === CHUNK_BYTES && spare.length < MOST) spare.push(buffer);
}
