import { readObjects } from "../extract/read-objects.js";
import { EventChunk } from "../load/event-chunk.js";
import { transformRecords } from "../transform/transform-records.js";
import type { Source, SourceObject } from "../types.js";

export interface ReadOptions {
  /** Objects read at the same time. */
  readonly concurrency: number;
  /** Rows that end a chunk; those of one piece of an object, at most 1 MiB of its text, stay together. */
  readonly batchRows: number;
}

const MAX_CHUNK_BYTES = 1024 * 1024;

/** The way of events through the stages: the objects of a batch, in their order, become chunks ready to load. */
export async function* readChunks(
  source: Source,
  objects: readonly SourceObject[],
  { concurrency, batchRows }: ReadOptions,
): AsyncGenerator<EventChunk> {
  let chunk = new EventChunk();
  for await (const { index, records } of readObjects(source, objects, concurrency)) {
    chunk.add(index, transformRecords(records, objects[index] as SourceObject));
    if (chunk.rows.count < batchRows && chunk.size < MAX_CHUNK_BYTES) continue;
    yield chunk;
    chunk = new EventChunk();
  }
  if (chunk.tallies.size > 0) yield chunk;
}
