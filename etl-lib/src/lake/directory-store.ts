import { createHash } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LakeError } from "../errors.js";
import type { LakeFile, LakeStore, LakeUpload, StoredFile } from "./store.js";

/** A lake in a folder, for use without a bucket. */
export function directoryLake(folder: string): LakeStore {
  return new DirectoryLake(folder);
}

class DirectoryLake implements LakeStore {
  constructor(readonly location: string) {}

  async create(key: string): Promise<LakeUpload> {
    const path = this.#path(key);
    return this.#told(key, async () => {
      await mkdir(dirname(path), { recursive: true });
      const file = await open(path, "w");
      const close = () => file.close();
      return {
        write: (bytes) => this.#told(key, () => file.writeFile(bytes)),
        close: () => this.#told(key, () => file.sync().then(close)),
        abort: () =>
          close().then(
            () => this.remove(key),
            () => undefined,
          ),
      };
    });
  }

  async open(key: string): Promise<LakeFile> {
    const path = this.#path(key);
    const stat = await this.#told(key, () => withFile(path, (file) => file.stat()));
    return {
      byteLength: stat.size,
      slice: (start, end = stat.size) =>
        this.#told(key, () =>
          withFile(path, async (file) => {
            const bytes = new Uint8Array(end - start);
            const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
            return bytes.buffer.slice(0, bytesRead);
          }),
        ),
    };
  }

  async publish(from: string, to: string): Promise<StoredFile> {
    const [source, target] = [this.#path(from), this.#path(to)];
    return this.#told(to, async () => {
      await mkdir(dirname(target), { recursive: true });
      await rename(source, target);
      return withFile(target, async (file) => {
        const hash = createHash("md5");
        for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk);
        return { etag: hash.digest("hex"), bytes: (await file.stat()).size };
      });
    });
  }

  async remove(key: string): Promise<void> {
    await this.#told(key, () => rm(this.#path(key), { force: true }));
  }

  #path(key: string): string {
    return join(this.location, ...key.split("/"));
  }

  async #told<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      const place = this.#path(key);
      if (code === "ENOENT") throw new LakeError("fatal", `The lake has no file ${place}.`, { cause });
      throw new LakeError("fatal", `${place} of the lake cannot be used: ${message}`, { cause });
    }
  }
}

async function withFile<T>(
  path: string,
  work: (file: Awaited<ReturnType<typeof open>>) => Promise<T>,
): Promise<T> {
  const file = await open(path, "r");
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
