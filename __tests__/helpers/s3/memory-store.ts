import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { Readable } from "node:stream";

export interface StoredObject {
  readonly key: string;
  readonly body: Buffer;
  readonly etag: string;
  readonly lastModified: Date;
}

interface Range {
  readonly start?: number;
  readonly end?: number;
}

const PIECE = 64 * 1024;
const S3Object = createRequire(import.meta.url)("s3rver/lib/models/object") as new (
  bucket: string,
  key: string,
  content: Readable | null,
  metadata: Record<string, unknown>,
) => { range?: Range };

/**
 * The store behind s3rver. Its own keeps objects as files: slow, and it cannot hold a key that is no path
 * (`a//b`, `..`, 300 characters, one key that is the folder of another).
 */
export class MemoryStore {
  readonly #buckets = new Map<string, Map<string, StoredObject>>();

  put(bucket: string, key: string, content: string | Uint8Array, lastModified: Date): string {
    const body = Buffer.from(content as Uint8Array);
    const etag = createHash("md5").update(body).digest("hex");
    this.#objects(bucket).set(key, { key, body, etag, lastModified });
    return etag;
  }

  find(bucket: string, key: string): StoredObject | undefined {
    return this.#buckets.get(bucket)?.get(key);
  }

  objectsOf(bucket: string): Iterable<StoredObject> {
    return this.#objects(bucket).values();
  }

  // From here on: what s3rver asks of a store.

  putBucket(name: string): void {
    this.#buckets.set(name, new Map());
  }

  getBucket(name: string): object | null {
    return this.#buckets.has(name) ? { name, creationDate: new Date() } : null;
  }

  getObject(bucket: string, key: string, { start, end }: Range = {}): object | null {
    const found = this.find(bucket, key);
    if (!found) return null;
    const { body, etag, lastModified } = found;
    const metadata = {
      etag: `"${etag}"`,
      "last-modified": lastModified.toUTCString(),
      "content-length": body.length,
    };
    const last = Math.max(0, body.length - 1);
    const range = { start: start ?? 0, end: Math.min(end ?? last, last) };
    const isWithin = range.start <= range.end;
    const object = new S3Object(
      bucket,
      key,
      isWithin ? streamOf(body.subarray(range.start, range.end + 1)) : null,
      metadata,
    );
    if (start !== undefined || end !== undefined) object.range = range;
    return object;
  }

  existsObject(bucket: string, key: string): boolean {
    return this.find(bucket, key) !== undefined;
  }

  deleteObject(bucket: string, key: string): void {
    this.#objects(bucket).delete(key);
  }

  /** No bucket of a test has a CORS or website configuration. */
  getSubresource(): null {
    return null;
  }

  #objects(bucket: string): Map<string, StoredObject> {
    const objects = this.#buckets.get(bucket);
    if (!objects) throw new Error(`no bucket ${bucket}`);
    return objects;
  }
}

function streamOf(body: Buffer): Readable {
  function* pieces() {
    for (let from = 0; from < body.length; from += PIECE) yield body.subarray(from, from + PIECE);
  }
  return Readable.from(pieces());
}
