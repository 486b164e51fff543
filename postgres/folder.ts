import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { TargetError } from "../connect/errors.js";
import { canEnter, MAJOR, run, type ServerUser } from "./programs.js";
import { findServer } from "./server.js";

/** Where root keeps what the server's user could not reach in a closed folder such as /root. */
const SYSTEM_FOLDER = "/var/lib/clickstream-analytics";
const LINK = "kept-elsewhere";
/** In the folder elsewhere: the path of the link to it. */
const OWNER = "linked-from";
const A_WHILE_MS = 10 * 60_000;

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
  removeForgotten();
  const place = mkdtempSync(join(SYSTEM_FOLDER, "postgres-"));
  run("chmod", ["755", SYSTEM_FOLDER, place]);
  writeFileSync(join(place, OWNER), link);
  try {
    rmSync(link, { force: true });
    symlinkSync(place, link);
  } catch (error) {
    rmSync(place, { recursive: true });
    if (!existsSync(link)) throw error;
  }
}

/** Folders whose link is gone, because the checkout or its `.local/` was removed. */
function removeForgotten(): void {
  for (const name of readdirSync(SYSTEM_FOLDER)) {
    const place = join(SYSTEM_FOLDER, name);
    const changed = statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const isNew = Date.now() - changed < A_WHILE_MS; // another command may be about to link it
    const isRunning = findServer({ dataDir: join(place, MAJOR, "data") }) !== null;
    if (!isNew && !isRunning && !isLinked(place)) rmSync(place, { recursive: true, force: true });
  }
}

function isLinked(place: string): boolean {
  try {
    return readlinkSync(readFileSync(join(place, OWNER), "utf8")) === place;
  } catch {
    return false;
  }
}

function createFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    return realpathSync(path);
  } catch (cause) {
    throw new TargetError(
      `The embedded PostgreSQL needs the folder ${path} (${String(cause)}): make it writable, or set DWH_HOST to your own database.`,
      { cause },
    );
  }
}
