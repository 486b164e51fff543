import { isUtf8 } from "node:buffer";
import { createReadStream, type Dirent } from "node:fs";
import { opendir, realpath, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { ExtractError, PlanError } from "../errors.js";
import type { Source, SourceObject, SourcePage } from "../types.js";

const PAGE = 1000;
const READ_BYTES = 256 * 1024;

/** A file or folder whose name is not UTF-8: it is listed, so that it is missed, and cannot be read. */
const UNNAMABLE = { etag: "not-utf-8", size: 0, lastModified: new Date(0) };

/**
 * A local directory laid out like the bucket. A file's version is its size and modification time.
 * @throws {PlanError} fatal, when `path` is not a directory
 */
export async function directorySource(path: string): Promise<Source> {
  const root = resolve(path);
  const found = await stat(root).catch(() => null);
  if (!found?.isDirectory())
    throw new PlanError("fatal", `The source ${path} is not a directory: check --source.`);
  // An event without an id is known by where it lies: by whatever link one comes there, it is the same place.
  return new DirectorySource(await realpath(root));
}

class DirectorySource implements Source {
  readonly bucket: string;

  constructor(private readonly root: string) {
    this.bucket = `file://${root.split(sep).join("/")}`;
  }

  /** A prefix names a folder, as every prefix of this library does, or the beginning of names in one. */
  async *list(prefix: string, { shallow = false } = {}): AsyncGenerator<SourcePage> {
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    const folders: string[] = [];
    let objects: SourceObject[] = [];
    for await (const { key, isNamable } of this.#entries(folder)) {
      if (!key.startsWith(prefix)) continue;
      if (!isNamable) {
        objects.push({ ...UNNAMABLE, bucket: this.bucket, key });
        continue;
      }
      if (key.endsWith("/")) {
        folders.push(key);
        continue;
      }
      const object = await this.#find(key);
      if (object) objects.push(object);
      if (objects.length < PAGE) continue;
      yield { objects, folders: [] };
      objects = [];
    }
    yield { objects, folders: shallow ? folders : [] };
    // In the order of days, as in S3: the rollups of a day are then refreshed once.
    if (!shallow) for (const key of folders.sort()) yield* this.list(key);
  }

  async *read({ key, etag, bucket }: SourceObject): AsyncGenerator<Uint8Array> {
    const object = `${bucket}/${key}`;
    try {
      if (etag === UNNAMABLE.etag) throw new Error("its name is not UTF-8: rename it");
      await this.#assertSame(key, etag);
      yield* createReadStream(join(this.root, key), {
        highWaterMark: READ_BYTES,
      }) as AsyncIterable<Uint8Array>;
      await this.#assertSame(key, etag); // it may have been written meanwhile
    } catch (cause) {
      throw cause instanceof ExtractError ? cause : readError(cause, key, object);
    }
  }

  async #assertSame(key: string, etag: string): Promise<void> {
    if ((await this.#describe(key)).etag !== etag)
      throw new ExtractError("changed", `${key} changed since it was listed.`, {
        object: `${this.bucket}/${key}`,
      });
  }

  async *#entries(folder: string): AsyncGenerator<{ key: string; isNamable: boolean }> {
    // Names as bytes: Node has no type for it.
    const options = { bufferSize: PAGE, encoding: "buffer" as BufferEncoding };
    const entries = await opendir(join(this.root, folder), options).catch((error) => {
      if (error.code === "ENOENT") return [];
      throw new ExtractError("fatal", `${join(this.root, folder)} cannot be read: ${error.message}.`, {
        cause: error,
      });
    });
    for await (const entry of entries as unknown as AsyncIterable<Dirent<Buffer>>) {
      const isFolder = entry.isDirectory();
      if (!isFolder && !entry.isFile() && !entry.isSymbolicLink()) continue;
      const name = entry.name.toString();
      const isNamable = isUtf8(entry.name);
      yield { key: folder + name + (isFolder && isNamable ? "/" : ""), isNamable };
    }
  }

  /** Null for a file that was removed since its folder was read, and for a link to nothing. */
  async #find(key: string): Promise<SourceObject | null> {
    try {
      return await this.#describe(key);
    } catch (cause) {
      const error = readError(cause, key, `${this.bucket}/${key}`);
      if (error.kind === "changed") return null;
      throw error;
    }
  }

  async #describe(key: string): Promise<SourceObject> {
    const found = await stat(join(this.root, key));
    if (found.isDirectory()) throw new Error("it is a link to a folder, which is not followed");
    const { size, mtime, mtimeMs } = found;
    return { bucket: this.bucket, key, etag: `${size}-${Math.round(mtimeMs)}`, size, lastModified: mtime };
  }
}

function readError(cause: unknown, key: string, object: string): ExtractError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT")
    return new ExtractError("changed", `${key} is gone since it was listed.`, { cause, object });
  return new ExtractError("fatal", `${key} cannot be read: ${message}.`, { cause, object });
}
