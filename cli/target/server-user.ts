import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { TargetError } from "./errors.js";

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
