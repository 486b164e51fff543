import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { type Binaries, program } from "./binaries.js";
import { TargetError } from "./errors.js";
import { canEnter, canRead, type ServerUser } from "./server-user.js";

/** Where root keeps what the server's user could not reach in a closed folder such as /root. */
const SYSTEM_FOLDER = "/var/lib/clickstream-analytics";
const LINK = "kept-elsewhere";

/**
 * The folder itself or, when a parent is closed to the server's user, a folder below /var/lib that a link in it names.
 * Removing the link (or all of the folder) starts afresh.
 *
 * @throws {TargetError} it cannot be made
 */
export function reachableFolder(folder: string, user: ServerUser): string {
  const wanted = createFolder(folder);
  if (canEnter(user, wanted)) return wanted;
  const link = join(wanted, LINK);
  if (!existsSync(link)) linkToNewFolder(link);
  return readlinkSync(link);
}

function linkToNewFolder(link: string): void {
  mkdirSync(SYSTEM_FOLDER, { recursive: true, mode: 0o755 });
  const place = mkdtempSync(join(SYSTEM_FOLDER, "postgres-"));
  run("chmod", ["755", SYSTEM_FOLDER, place]);
  try {
    rmSync(link, { force: true });
    symlinkSync(place, link);
  } catch (error) {
    rmSync(place, { recursive: true });
    if (!existsSync(link)) throw error;
  }
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

function createFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  return realpathSync(path);
}

function run(command: string, args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) {
    throw new TargetError(`The embedded PostgreSQL could not be set up (${command}): ${stderr.trim()}.`);
  }
}
