import { pMapIterable } from "p-map";
import { MAX_RAW_BYTES, SMALL_OBJECT_BYTES } from "./extract/limits.js";
import { extractRecords, type RawRecord, readSmall } from "./extract/records.js";
import { EventChunk } from "./load/event-chunk.js";
import { transformEvent } from "./transform/transform.js";
import type { Source, SourceObject } from "./types.js";

export interface ReadOptions {
  /** Objects read at the same time. */
  readonly concurrency: number;
  /** Rows that end a chunk; those of one piece of an object, at most 1 MiB of its text, stay together. */
  readonly batchRows: number;
}

const MAX_CHUNK_BYTES = 1024 * 1024;

/** Extracts and transforms the objects of a batch, in their order, into chunks ready to load. */
export async function* readChunks(
  source: Source,
  objects: readonly SourceObject[],
  { concurrency, batchRows }: ReadOptions,
): AsyncGenerator<EventChunk> {
  let chunk = new EventChunk();
  const bodies = pMapIterable(objects, (object) => (isSmall(object) ? readWhole(source, object) : null), {
    concurrency,
    backpressure: concurrency * 2,
  });
  let index = -1;
  for await (const body of bodies) {
    const object = objects[++index] as SourceObject;
    chunk.tally(index);
    for await (const records of recordsOf(source, object, body)) {
      for (const record of records) addRecord(chunk, index, object, record);
      if (chunk.lines.count < batchRows && chunk.size < MAX_CHUNK_BYTES) continue;
      yield chunk;
      chunk = new EventChunk();
    }
  }
  if (chunk.tallies.size > 0) yield chunk;
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

function addRecord(chunk: EventChunk, index: number, object: SourceObject, record: RawRecord): void {
  const { position } = record;
  if (record.reject) {
    chunk.addReject(index, { ...record.reject, raw: keepRaw(record.reject.raw), position });
    return;
  }
  const { row, reject } = transformEvent(record.value, { object, position }, chunk.repairs);
  if (row) chunk.addRow(index, row);
  else chunk.addReject(index, { ...reject, raw: keepRaw(record.raw()), position });
}

/** At most 64 KiB of UTF-8, without half a character at its end. */
function keepRaw(raw: string): string {
  if (raw.length * 3 <= MAX_RAW_BYTES || Buffer.byteLength(raw) <= MAX_RAW_BYTES) return raw;
  return new TextDecoder().decode(Buffer.from(raw).subarray(0, MAX_RAW_BYTES), { stream: true });
}
