import { createHash } from "node:crypto";

export interface StoredObject {
  readonly key: string;
  /** S3 orders keys by their UTF-8 bytes. */
  readonly keyBytes: Buffer;
  readonly body: Buffer;
  /** Without quotes. */
  readonly etag: string;
  readonly lastModified: Date;
}

/** The objects of one bucket, in memory: a file system cannot hold a key that is no path (`a//b`, `..`, 300 characters). */
export class ObjectStore {
  readonly #objects = new Map<string, StoredObject>();
  #sorted: readonly StoredObject[] | null = null;

  constructor(readonly bucket: string) {}

  /** @returns the object's ETag */
  put(key: string, content: string | Uint8Array, lastModified = new Date()): string {
    const body = Buffer.from(content as Uint8Array);
    const etag = createHash("md5").update(body).digest("hex");
    this.#objects.set(key, { key, keyBytes: Buffer.from(key), body, etag, lastModified });
    this.#sorted = null;
    return etag;
  }

  find(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  remove(key: string): void {
    this.#objects.delete(key);
    this.#sorted = null;
  }

  /** In the order of a listing. */
  get sorted(): readonly StoredObject[] {
    this.#sorted ??= [...this.#objects.values()].sort((a, b) => Buffer.compare(a.keyBytes, b.keyBytes));
    return this.#sorted;
  }
}
