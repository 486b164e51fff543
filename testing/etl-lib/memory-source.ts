import { ExtractError, type Source, type SourceObject, type SourcePage } from "etl-lib";

export interface StoredObject {
  readonly key: string;
  readonly content: string | Uint8Array;
  readonly lastModified?: Date;
}

/** A bucket held in memory: keys in their order, pages of any size, and a note of what was listed and read. */
export class MemorySource implements Source {
  readonly bucket = "raw";
  readonly listed: string[] = [];
  readonly readKeys: string[] = [];
  /** Objects being read now, and at most at the same time. */
  readonly reading = { now: 0, most: 0 };
  readonly #objects = new Map<string, { object: SourceObject; bytes: Uint8Array }>();

  constructor(
    objects: readonly StoredObject[],
    private readonly pageSize = 1000,
  ) {
    const sorted = [...objects].sort((one, other) => (one.key < other.key ? -1 : 1));
    for (const { key, content, lastModified = new Date("2025-12-06T06:00:00Z") } of sorted) {
      const bytes = Buffer.from(content as Uint8Array);
      const etag = `v-${bytes.length}`;
      this.#objects.set(key, {
        object: { bucket: this.bucket, key, etag, size: bytes.length, lastModified },
        bytes,
      });
    }
  }

  get objects(): SourceObject[] {
    return [...this.#objects.values()].map(({ object }) => object);
  }

  /** As S3 does it: objects and folders count alike for the size of a page, and a page may hold none. */
  async *list(prefix: string, { shallow = false } = {}): AsyncGenerator<SourcePage> {
    this.listed.push(shallow ? `${prefix}*` : prefix);
    const below = this.objects.filter(({ key }) => key.startsWith(prefix));
    const entries = shallow ? directEntries(below, prefix) : below;
    for (let from = 0; from === 0 || from < entries.length; from += this.pageSize) {
      const page = entries.slice(from, from + this.pageSize);
      yield {
        objects: page.filter((entry) => typeof entry !== "string"),
        folders: page.filter((entry) => typeof entry === "string"),
      };
    }
  }

  async *read(object: SourceObject): AsyncGenerator<Uint8Array> {
    this.readKeys.push(object.key);
    this.reading.most = Math.max(this.reading.most, ++this.reading.now);
    try {
      const stored = this.#objects.get(object.key);
      if (stored?.object.etag !== object.etag)
        throw new ExtractError("changed", `${object.key} changed`, {
          object: `${this.bucket}/${object.key}`,
        });
      for (let from = 0; from < stored.bytes.length; from += 64 * 1024) {
        await new Promise(setImmediate);
        yield stored.bytes.subarray(from, from + 64 * 1024);
      }
    } finally {
      this.reading.now--;
    }
  }
}

/** Objects of a folder, and of what lies deeper the names of its sub-folders. */
function directEntries(objects: readonly SourceObject[], prefix: string): (SourceObject | string)[] {
  const entries = objects.map((object) => {
    const end = object.key.indexOf("/", prefix.length);
    return end < 0 ? object : object.key.slice(0, end + 1);
  });
  return [...new Set(entries)];
}
