import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeSample } from "../cli/sample/write-sample.js";

/** Folders that hold the same events of the sample generator: three days, products, sessions. */
export interface Inputs {
  /** A file of some thousand events after another. */
  readonly files: string;
  readonly day: string;
  readonly one: string;
  /** As `files`; every hundredth or tenth event comes again in the next file, as at-least-once delivery does it. */
  readonly again1: string;
  readonly again10: string;
}

export function makeInputs(folder: string, events: number): Inputs {
  const files = join(folder, "files");
  writeSample({ events, layout: "ndjson", dirty: 0, out: files });
  const paths = (readdirSync(files, { recursive: true }) as string[])
    .filter((path) => statSync(join(files, path)).isFile())
    .sort();
  const input = (
    name: string,
    placeOf: (path: string) => string,
    every = Number.POSITIVE_INFINITY,
  ): string => {
    let again: string[] = [];
    for (const path of paths) {
      const lines = readFileSync(join(files, path), "utf8").trimEnd().split("\n");
      const file = join(folder, name, placeOf(path));
      mkdirSync(dirname(file), { recursive: true });
      appendFileSync(file, `${[...lines, ...again].join("\n")}\n`);
      again = lines.filter((_, index) => index % every === every - 1);
    }
    return join(folder, name);
  };
  return {
    files,
    day: input("day", (path) => join(dirname(path), "part.ndjson")),
    one: input("one", () => "events/2026/11/18/part.ndjson"),
    again1: input("again1", (path) => path, 100),
    again10: input("again10", (path) => path, 10),
  };
}
