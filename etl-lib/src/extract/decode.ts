import { createGunzip, type Gunzip } from "node:zlib";

/** The object claims to be gzip by its magic bytes, but does not inflate to its end. */
export class InvalidGzipError extends Error {
  override readonly name = "InvalidGzipError";
}

/**
 * The text of an object, piece by piece: gzip is recognised by its magic bytes, a leading byte-order mark is dropped,
 * bytes that are not UTF-8 become U+FFFD.
 * @param open opens the object's bytes; called again to read broken gzip up to its fault
 * @throws {InvalidGzipError} after the text that could be inflated
 */
export async function* decodeText(open: () => AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of inflate(open)) {
    const text = decoder.decode(chunk, { stream: true });
    if (text !== "") yield text;
  }
  const rest = decoder.decode();
  if (rest !== "") yield rest;
}

/** By its magic bytes, whatever the name or the headers say. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** A piece inflates to a thousand times its size at most, which is then held. */
const PIECE_BYTES = 4096;

export async function* inflate(open: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { head, all } = await peek(open(), 2);
  if (!isGzip(head)) {
    yield* all;
    return;
  }
  let delivered = 0;
  try {
    for await (const chunk of gunzip(inPieces(all, PIECE_BYTES))) {
      delivered += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (!(error instanceof GunzipError)) throw error;
    if (error.before !== null) yield* behind(delivered, gunzip(byteByByteFrom(error.before, open())));
    throw new InvalidGzipError(error.message, { cause: error });
  }
}

/** zlib drops what it has inflated of the piece in which it meets a fault: byte by byte that is nothing. */
async function* byteByByteFrom(from: number, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of inPieces(bytes, PIECE_BYTES)) {
    if (at < from) yield piece;
    else for (let index = 0; index < piece.length; index++) yield piece.subarray(index, index + 1);
    at += piece.length;
  }
}

/** What lies behind the first `length` bytes, up to the fault. */
async function* behind(length: number, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = length;
  try {
    for await (const chunk of chunks) {
      if (left < chunk.length) yield chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
    }
  } catch (error) {
    if (!(error instanceof GunzipError)) throw error;
  }
}

class GunzipError extends Error {
  /** @param before bytes of the pieces before the one with the fault; null at the end, where nothing was dropped */
  constructor(
    message: string,
    readonly before: number | null,
  ) {
    super(message);
  }
}

/** Inflates all members; behind the last one only zeros may follow. @throws {GunzipError} */
async function* gunzip(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const zlib = createGunzip({ chunkSize: 64 * 1024 });
  const inflated: Uint8Array[] = [];
  zlib.on("data", (chunk: Uint8Array) => inflated.push(chunk));
  let fed = 0;
  const fault = (error: Error, before: number | null = fed) =>
    Promise.reject(new GunzipError(error.message, before));
  try {
    for await (const piece of pieces) {
      const consumed = zlib.readableEnded ? 0 : await feed(zlib, piece).catch((error) => fault(error));
      yield* inflated.splice(0);
      if (piece.subarray(consumed).some((byte) => byte !== 0)) await fault(new Error("data behind the end"));
      fed += piece.length;
    }
    if (!zlib.readableEnded) await step(zlib, () => zlib.end()).catch((error) => fault(error, null));
    yield* inflated.splice(0);
  } finally {
    zlib.destroy();
  }
}

/** @returns how much of the piece was consumed; the stream ends before the rest */
async function feed(zlib: Gunzip, piece: Uint8Array): Promise<number> {
  const before = zlib.bytesWritten;
  await step(zlib, (done) => zlib.write(piece, done));
  return zlib.readableEnded ? zlib.bytesWritten - before : piece.length;
}

/** Settles with the step, or with the end of the stream: zlib then never answers. */
function step(zlib: Gunzip, take: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null) => {
      zlib.off("end", settle).off("error", settle);
      if (error) reject(error);
      else resolve();
    };
    zlib.once("end", settle).once("error", settle);
    take(settle);
  });
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
export async function peek(bytes: AsyncIterable<Uint8Array>, length: number) {
  const iterator = bytes[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  let size = 0;
  while (size < length) {
    const { value, done } = await iterator.next();
    if (done) break;
    parts.push(value);
    size += value.length;
  }
  const head = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  async function* all() {
    try {
      if (head.length > 0) yield head;
      for (;;) {
        const { value, done } = await iterator.next();
        if (done) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { head, all: all() };
}
