import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/** The object claims to be gzip by its magic bytes, but does not inflate to its end. */
export class InvalidGzipError extends Error {
  override readonly name = "InvalidGzipError";
}

/**
 * The text of an object, piece by piece: gzip is told by its magic bytes, a leading byte-order mark is dropped,
 * bytes that are not UTF-8 become U+FFFD.
 * @throws {InvalidGzipError} after the text that could be inflated
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of inflate(bytes)) {
    const text = decoder.decode(chunk, { stream: true });
    if (text !== "") yield text;
  }
  const rest = decoder.decode();
  if (rest !== "") yield rest;
}

/**
 * zlib drops what it inflated from the piece in which it meets a fault: small ones lose little, and pieces of one size
 * lose the same however the bytes arrive.
 */
const GUNZIP_PIECE_BYTES = 4096;

/** By its magic bytes, whatever the name or the headers say. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

async function* inflate(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, all } = await peek(bytes, 2);
  if (!isGzip(head)) {
    yield* all;
    return;
  }
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  const source = Readable.from(inPieces(all, GUNZIP_PIECE_BYTES));
  source.on("error", (error) => gunzip.destroy(error));
  try {
    yield* source.pipe(gunzip) as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (String((error as NodeJS.ErrnoException).code).startsWith("Z_"))
      throw new InvalidGzipError((error as Error).message, { cause: error });
    throw error;
  } finally {
    source.destroy();
  }
}

/** The same bytes in pieces of exactly `size`, but for the last. */
async function* inPieces(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of bytes) {
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (; from + size <= joined.length; from += size) yield joined.subarray(from, from + size);
    rest = joined.subarray(from);
  }
  if (rest.length > 0) yield rest;
}

/** The first `length` bytes or what there is, and the whole again from its beginning. */
async function peek(bytes: AsyncIterable<Uint8Array>, length: number) {
  const iterator = bytes[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  let size = 0;
  while (size < length) {
    const { value, done } = await iterator.next();
    if (done) break;
    parts.push(value);
    size += value.length;
  }
  async function* all() {
    try {
      yield* parts;
      for (;;) {
        const { value, done } = await iterator.next();
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { head: parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts), all: all() };
}
