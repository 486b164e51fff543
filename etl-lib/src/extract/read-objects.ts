import { pMapIterable } from "p-map";
import { ExtractError } from "../errors.js";
import { SMALL_OBJECT_BYTES } from "../limits.js";
import type { Source, SourceObject } from "../types.js";
import { extractRecords, type RawRecord, readSmall } from "./records.js";

/** What is read of an object: some of its records, in their order, or at last why it could not be read to its end. */
export type ReadPiece = RecordsPiece | FailedPiece;

export interface RecordsPiece {
  /** Index of the object among those that are read. */
  readonly index: number;
  readonly records: readonly RawRecord[];
  /** No more of the object follows. Of every object that is read there is such a piece, even of one without a record. */
  readonly isLast: boolean;
  readonly failure?: never;
}

export interface FailedPiece {
  readonly index: number;
  /** Of this object alone; records of it that came before are to be undone. */
  readonly failure: ExtractError;
}

/**
 * The records of `objects`, in their order; small objects are read ahead. One that cannot be read is passed over where
 * it is met, whatever its neighbours are.
 * @param concurrency objects read at the same time
 * @throws {ExtractError} of the source as a whole, which names no object
 */
export async function* readObjects(
  source: Source,
  objects: readonly SourceObject[],
  concurrency: number,
): AsyncGenerator<ReadPiece> {
  const bodies = pMapIterable(objects, (object) => (isSmall(object) ? readWhole(source, object) : null), {
    concurrency,
    backpressure: concurrency * 2,
  });
  let index = -1;
  for await (const body of bodies) {
    index++;
    try {
      if (body instanceof ExtractError) throw body;
      yield* piecesOf(recordsOf(source, objects[index] as SourceObject, body), index);
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

type Records = Iterable<RawRecord[]> | AsyncIterable<RawRecord[]>;

function recordsOf(source: Source, object: SourceObject, body: Uint8Array | null): Records {
  if (!body) return extractRecords(() => source.read(object));
  return readSmall(body) ?? extractRecords(() => whole(body));
}

async function* whole(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

/** One slice behind, to know which is the last. */
async function* piecesOf(slices: Records, index: number): AsyncGenerator<RecordsPiece> {
  let records: RawRecord[] | undefined;
  for await (const slice of slices) {
    if (records) yield { index, records, isLast: false };
    records = slice;
  }
  yield { index, records: records ?? [], isLast: true };
}
