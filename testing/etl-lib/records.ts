import { gzipSync } from "node:zlib";
import { extractRecords, type RawRecord } from "../../etl-lib/src/extract/records.js";
import type { RejectCause } from "../../etl-lib/src/types.js";

/** A record as a test states it: the JSON value, or the cause and, where it matters, the text of its reject. */
export type Expected = { readonly value: unknown } | { readonly cause: RejectCause; readonly raw?: string };

export const value = (json: unknown): Expected => ({ value: json });
export const reject = (cause: RejectCause, raw?: string): Expected => ({
  cause,
  ...(raw !== undefined && { raw }),
});

export async function* inChunks(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

export async function readRecords(content: string | Uint8Array, chunkSize?: number): Promise<RawRecord[]> {
  const bytes = Buffer.from(content as Uint8Array);
  const records: RawRecord[] = [];
  for await (const group of extractRecords(() => inChunks(bytes, chunkSize))) records.push(...group);
  return records;
}

/** The records in the words of a test; positions are checked on the way. */
export async function read(content: string | Uint8Array, chunkSize?: number): Promise<Expected[]> {
  const records = await readRecords(content, chunkSize);
  return records.map((record, index) => {
    if (record.position !== index) throw new Error(`record ${index} says it is at ${record.position}`);
    return record.reject ? reject(record.reject.cause, record.reject.raw) : value(record.value);
  });
}

/** Without the raw text of rejects, for what only counts. */
export const causes = (records: readonly Expected[]) =>
  records.map((record) => ("cause" in record ? record.cause : record.value));

/** Several gzip members one behind the other, which is one gzip file. */
export function gzipMembers(bytes: Uint8Array, members: number): Buffer {
  const size = Math.max(1, Math.ceil(bytes.length / members));
  const parts: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += size)
    parts.push(gzipSync(bytes.subarray(from, from + size)));
  return Buffer.concat(parts);
}
