import { pMapIterable } from "p-map";
import { ExtractError } from "../errors.js";
import { SMALL_OBJECT_BYTES } from "../limits.js";
import type { Source, SourceObject } from "../types.js";
import { isGzip } from "./decode.js";
import { objectSlices, type RecordSlice } from "./object-slices.js";
import type { TakeEvent } from "./plain-lines.js";

/** What is compressed to less is read through in a moment: it inflates to a thousand times as much at most. */
const QUICK_GZIP_BYTES = 16 * 1024;

/** What is read of an object: some of its records, in their order, or at last why it could not be read to its end. */
export type ReadPiece = RecordsPiece | FailedPiece;

export interface RecordsPiece extends RecordSlice {
  /** Index of the object among those that are read. */
  readonly index: number;
  /** All of the object is at hand, and not much: nothing of it can fail any more, nor take long. */
  readonly isAtHand: boolean;
  readonly failure?: never;
}

export interface FailedPiece {
  readonly index: number;
  /** Of this object alone; records of it that came before are to be undone. */
  readonly failure: ExtractError;
}

/** Takes a line of an object as an event, or leaves it to be parsed. */
export type TakeEventOf = (index: number) => TakeEvent;

/**
 * The records of `objects`, in their order, but for the lines that `takeEventOf` takes while they are read: each piece is
 * to be dealt with before the next one is asked for. Small objects are read ahead. One that cannot be read is passed over
 * where it is met, whatever its neighbours are.
 * @param concurrency objects read at the same time
 * @param begin called as an object is begun that may take long; what it gives back is called all the while, and throws to
 *   break the object off
 * @throws {ExtractError} of the source as a whole, which names no object
 */
export async function* readObjects(
  source: Source,
  objects: readonly SourceObject[],
  concurrency: number,
  takeEventOf: TakeEventOf,
  begin: (object: SourceObject) => () => void = () => () => undefined,
): AsyncGenerator<ReadPiece> {
  const bodies = pMapIterable(objects, (object) => (isSmall(object) ? readWhole(source, object) : null), {
    concurrency,
    backpressure: concurrency * 2,
  });
  let index = -1;
  for await (const body of bodies) {
    const object = objects[++index] as SourceObject;
    try {
      if (body instanceof ExtractError) throw body;
      const isAtHand = body !== null && !(isGzip(body) && body.length > QUICK_GZIP_BYTES);
      const check = isAtHand ? () => undefined : begin(object);
      const open = () => checked(body ? [body] : source.read(object), check);
      for await (const slice of objectSlices(body, open, takeEventOf(index))) {
        check();
        yield { index, isAtHand, ...slice };
      }
    } catch (error) {
      yield { index, failure: ofOneObject(error) };
    }
  }
}

const isSmall = ({ size }: SourceObject): boolean => size <= SMALL_OBJECT_BYTES;

async function readWhole(source: Source, object: SourceObject): Promise<Uint8Array | ExtractError> {
  try {
    const parts: Uint8Array[] = [];
    for await (const part of source.read(object)) parts.push(part);
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  } catch (error) {
    return ofOneObject(error); // met where it is this object's turn
  }
}

function ofOneObject(error: unknown): ExtractError {
  if (error instanceof ExtractError && error.object) return error;
  throw error;
}

async function* checked(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  check: () => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    check();
    yield piece;
  }
}
