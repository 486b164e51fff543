import { pMapIterable } from "p-map";
import { SMALL_OBJECT_BYTES } from "../limits.js";
import type { Source, SourceObject } from "../types.js";
import { extractRecords, type RawRecord, readSmall } from "./records.js";

/** Some records of one object, in their order. */
export interface ReadPiece {
  /** Index of the object among those that are read. */
  readonly index: number;
  readonly records: readonly RawRecord[];
}

/**
 * The records of `objects`, in their order; small objects are read ahead. Of every object there is a piece, even of one
 * without a record.
 * @param concurrency objects read at the same time
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
    const object = objects[++index] as SourceObject;
    let isEmpty = true;
    for await (const records of recordsOf(source, object, body)) {
      isEmpty = false;
      yield { index, records };
    }
    if (isEmpty) yield { index, records: [] };
  }
}

const isSmall = ({ size }: SourceObject): boolean => size <= SMALL_OBJECT_BYTES;

async function readWhole(source: Source, object: SourceObject): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of source.read(object)) parts.push(part);
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}

function recordsOf(
  source: Source,
  object: SourceObject,
  body: Uint8Array | null,
): Iterable<RawRecord[]> | AsyncIterable<RawRecord[]> {
  if (!body) return extractRecords(() => source.read(object));
  const records = readSmall(body);
  return records ? [records] : extractRecords(() => pieces(body));
}

async function* pieces(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}
