import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Window } from "etl-lib";
import { CommandError } from "../shared/failure.js";
import type { Sums } from "./outcome.js";
import type { Slice } from "./plan.js";

/** What is done of a backfill, kept in a file so that the same command goes on where it stopped. */
export interface ProgressFile {
  readonly path: string;
  /** Null when the slice is not done. */
  doneBefore(slice: Slice): Sums | null;
  /** Writes that the slice is done. Calls may overlap. */
  markDone(slice: Slice, sums: Sums): Promise<void>;
  /** All is done: removes the file. */
  remove(): Promise<void>;
}

/**
 * @param name of the function and its account: the same function elsewhere is another
 * @throws {CommandError} the file cannot be read
 */
export async function openProgressFile(folder: string, name: string, window: Window): Promise<ProgressFile> {
  const path = join(folder, `${name}-${stamp(window.from)}-${stamp(window.to)}.json`);
  const done = await readDone(path);
  let writing = Promise.resolve();
  return {
    path,
    doneBefore: (slice) => done.get(keyOf(slice)) ?? null,
    markDone(slice, sums) {
      done.set(keyOf(slice), sums);
      writing = writing.then(() => write(path, done));
      return writing;
    },
    remove: () => rm(path, { force: true }),
  };
}

const keyOf = ({ from, to }: Slice): string => `${from}/${to}`;

/** Without the colons, which Windows takes in no file name. */
const stamp = (date: Date): string => `${date.toISOString().slice(0, 16).replace(":", "")}Z`;

async function readDone(path: string): Promise<Map<string, Sums>> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw error;
  });
  try {
    return new Map(Object.entries<Sums>(JSON.parse(text)));
  } catch (cause) {
    throw new CommandError(
      `${path} is damaged: remove it, and the backfill starts afresh. Nothing is loaded twice.`,
      {
        cause,
      },
    );
  }
}

/** Whoever is killed in between leaves the old file whole. */
async function write(path: string, done: ReadonlyMap<string, Sums>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, `${JSON.stringify(Object.fromEntries(done), null, 1)}\n`);
  await rename(`${path}.new`, path);
}
