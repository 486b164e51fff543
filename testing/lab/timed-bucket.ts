import { ExtractError, type Source, type SourceObject, type SourcePage } from "etl-lib";

interface Stored {
  readonly object: SourceObject;
  readonly bytes: Buffer;
}

/** A bucket in memory, with a clock, pages of a few keys and faults of its own. */
export class TimedBucket implements Source {
  readonly bucket = "timed";
  /** Prefixes listed since they were last looked at. */
  listed: string[] = [];
  reads = 0;
  /** Keys that cannot be read. */
  readonly broken = new Set<string>();
  /** Pages until a listing fails for good; null: none does. */
  failsAfter: number | null = null;
  /** Told of each page. */
  onPage: () => void = () => {};
  readonly #stored = new Map<string, Stored>();
  #versions = 0;

  constructor(public now: number) {}

  put(key: string, text: string): void {
    const bytes = Buffer.from(text);
    const etag = `v${++this.#versions}`;
    const object = { bucket: this.bucket, key, etag, size: bytes.length, lastModified: new Date(this.now) };
    this.#stored.set(key, { object, bytes });
  }

  get objects(): SourceObject[] {
    return [...this.#stored.values()].map(({ object }) => object);
  }

  async *list(prefix: string, { shallow = false } = {}): AsyncGenerator<SourcePage> {
    this.listed.push(shallow ? `${prefix}*` : prefix);
    const keys = [...this.#stored.keys()].filter((key) => key.startsWith(prefix)).sort();
    const folders = new Set<string>();
    const objects: SourceObject[] = [];
    for (const key of keys) {
      const end = shallow ? key.indexOf("/", prefix.length) : -1;
      if (end < 0) objects.push(this.#stored.get(key)?.object as SourceObject);
      else folders.add(key.slice(0, end + 1));
    }
    for (let from = 0; from === 0 || from < objects.length; from += 3) {
      await new Promise(setImmediate);
      this.onPage();
      if (this.failsAfter !== null && this.failsAfter-- === 0)
        throw new ExtractError("fatal", "the bucket is closed");
      yield { objects: objects.slice(from, from + 3), folders: from === 0 ? [...folders] : [] };
    }
  }

  async *read({ key, etag }: SourceObject): AsyncGenerator<Uint8Array> {
    this.reads++;
    const name = { object: `${this.bucket}/${key}` };
    if (this.broken.has(key)) throw new ExtractError("fatal", `${key} is archived`, name);
    const stored = this.#stored.get(key);
    if (stored?.object.etag !== etag) throw new ExtractError("changed", `${key} changed`, name);
    yield stored.bytes;
  }
}
