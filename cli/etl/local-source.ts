import { createHash } from "node:crypto";
import { createWriteStream, rmSync } from "node:fs";
import { mkdtemp, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { directorySource, keyTime, type Source, type SourceObject, type SourcePage } from "etl-lib";
import picomatch from "picomatch";
import { UsageError } from "../shared/failure.js";

export interface LocalSource {
  readonly source: Source;
  /** Keys are below `events/YYYY/MM/DD/`, so that a window can be cut out of them. */
  readonly hasTimes: boolean;
}

/** What is taken for raw events where no layout says it. */
const RAW_FILE = /\.(json|ndjson|jsonl|gz)$/i;
const EVENTS_FOLDER = `${sep}events${sep}`;

/**
 * A directory of the bucket's layout; any other directory, with its files of raw events at whatever depth; one file; the
 * files that match a glob; or `-`, all of stdin as one object.
 *
 * @throws {UsageError} nothing is there
 */
export async function localSource(location: string): Promise<LocalSource> {
  if (location === "-") return { source: await stdinSource(process.stdin), hasTimes: false };
  const path = resolve(location);
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return filesOf(path, dirname(path), (file) => file === path);
  if (found?.isDirectory()) return folderSource(path);
  const { base, isGlob } = picomatch.scan(location);
  if (!isGlob) throw new UsageError(`There is no file or directory ${location}: check --source.`);
  const isMatch = picomatch(path);
  return filesOf(path, resolve(base), isMatch);
}

async function folderSource(path: string): Promise<LocalSource> {
  const events = await stat(join(path, "events")).catch(() => null);
  if (events?.isDirectory()) return { source: await directorySource(path), hasTimes: true };
  return { source: matching(await directorySource(path), (key) => RAW_FILE.test(key)), hasTimes: false };
}

/** Files of a bucket's copy keep the key that they have there: read by another path they are the same objects. */
async function filesOf(
  path: string,
  folder: string,
  isMeant: (file: string) => boolean,
): Promise<LocalSource> {
  const at = `${folder}${sep}`.lastIndexOf(EVENTS_FOLDER);
  const root = at < 0 ? folder : path.slice(0, at);
  const below =
    at < 0
      ? ""
      : `${folder
          .slice(at + 1)
          .split(sep)
          .join("/")}/`;
  const source = await directorySource(root || sep).catch((cause: Error) => {
    throw new UsageError(`There is no directory ${root}: check --source.`, { cause });
  });
  const isMeantKey = (key: string) => isMeant(join(root, key));
  return { source: matching(within(source, below), isMeantKey), hasTimes: at >= 0 };
}

/** Listed is only what lies below the folder, whatever is asked for. */
const within = (source: Source, folder: string): Source => ({
  bucket: source.bucket,
  list: (prefix, options) => source.list(prefix.startsWith(folder) ? prefix : folder, options),
  read: (object) => source.read(object),
});

/** The source with nothing in it but the keys that are meant. */
export const matching = (source: Source, isMeant: (key: string) => boolean): Source => ({
  bucket: source.bucket,
  async *list(prefix, options): AsyncGenerator<SourcePage> {
    for await (const { objects, folders } of source.list(prefix, options))
      yield { objects: objects.filter(({ key }) => isMeant(key)), folders };
  },
  read: (object) => source.read(object),
});

/** The first objects of the listing, and no more. */
export function first(source: Source, count: number): Source {
  let left = count;
  return {
    bucket: source.bucket,
    async *list(prefix, options): AsyncGenerator<SourcePage> {
      if (left <= 0) return;
      for await (const page of source.list(prefix, options)) {
        const objects = page.objects.slice(0, left);
        left -= objects.length;
        yield { objects, folders: left > 0 ? page.folders : [] };
        if (left <= 0) return;
      }
    },
    read: (object) => source.read(object),
  };
}

/**
 * Kept in a file while the command runs, for a batch that is repeated reads its objects again. Its content is its key,
 * so that the same bytes, sent again, are the same object.
 */
async function stdinSource(input: NodeJS.ReadableStream): Promise<Source> {
  const folder = await mkdtemp(join(tmpdir(), "clickstream-stdin-"));
  const file = join(folder, "stdin");
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const hash = createHash("sha256");
  const hashed = async function* () {
    for await (const chunk of input) {
      hash.update(chunk as Buffer);
      yield chunk;
    }
  };
  await pipeline(hashed, createWriteStream(file));
  const key = hash.digest("hex").slice(0, 32);
  const { size } = await stat(file);
  const kept = await directorySource(folder);
  const object = { bucket: "stdin:", key, etag: key, size, lastModified: new Date() };
  return {
    bucket: object.bucket,
    async *list(): AsyncGenerator<SourcePage> {
      yield { objects: size > 0 ? [object] : [], folders: [] };
    },
    async *read() {
      for await (const { objects } of kept.list(basename(file))) if (objects[0]) yield* kept.read(objects[0]);
    },
  };
}

/**
 * A source whose files came by git, which keeps no times: each is as old as the end of the hour or day that its key names,
 * wherever and whenever it was checked out.
 *
 * @param delay of files that came later, by the time that their key names, in milliseconds
 */
export function datedByKey(source: Source, delay: (time: number) => number): Source {
  const listed = new Map<string, SourceObject>();
  const dated = (object: SourceObject): SourceObject => {
    const span = keyTime(object.key)?.span;
    if (!span) return object;
    listed.set(object.key, object);
    const at = span.to - 1000 + delay(span.from); // the last second of it, so that an event without a time is of that hour or day
    return { ...object, lastModified: new Date(at), etag: `${object.size}-${at}` };
  };
  return {
    bucket: source.bucket,
    async *list(prefix, options): AsyncGenerator<SourcePage> {
      for await (const { objects, folders } of source.list(prefix, options))
        yield { objects: objects.map(dated), folders };
    },
    read: (object) => source.read(listed.get(object.key) ?? object),
  };
}
