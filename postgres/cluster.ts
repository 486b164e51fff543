import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { TargetError } from "../connect/errors.js";
import { reachableFolder } from "./folder.js";
import {
  type Binaries,
  findBinaries,
  MAJOR,
  program,
  reachableBinaries,
  type ServerUser,
  serverUser,
} from "./programs.js";
import type { ServerHome } from "./server.js";

/** A data folder with what is needed to run a server on it. */
export interface Cluster extends ServerHome {
  readonly superuser: string;
  readonly password: string;
}

const SUPERUSER = "postgres";

/**
 * The cluster kept in `folder`, made there when it is not yet. Safe to call from two processes at once: it is made
 * beside its place and renamed into it, and the second to finish takes the first one's.
 *
 * @param initdbFlags more of initdb's own, for a new cluster
 * @throws {TargetError}
 */
export function openCluster(folder: string, initdbFlags: readonly string[] = []): Cluster {
  const user = serverUser();
  const base = reachableFolder(folder, user);
  const binaries = reachableBinaries(findBinaries(), base, user);
  const home = join(base, MAJOR);
  if (!existsSync(home)) createHome({ home, base, binaries, user, initdbFlags });
  return {
    dataDir: realpathSync(join(home, "data")),
    logFile: join(home, "server.log"),
    superuser: SUPERUSER,
    password: readPassword(join(home, "password")),
    user,
    binaries,
  };
}

interface NewHome {
  readonly home: string;
  readonly base: string;
  readonly binaries: Binaries;
  readonly user: ServerUser;
  readonly initdbFlags: readonly string[];
}

function createHome({ home, base, ...how }: NewHome): void {
  const draft = mkdtempSync(join(base, "new-"));
  try {
    const passwordFile = join(draft, "password");
    writeFileSync(passwordFile, randomBytes(18).toString("base64url"), { mode: 0o600 });
    for (const path of [draft, passwordFile]) own(path, how.user);
    initialise(join(draft, "data"), passwordFile, how);
    renameSync(draft, home);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
}

function own(path: string, { uid, gid }: ServerUser): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

type How = Pick<NewHome, "binaries" | "user" | "initdbFlags">;

function initialise(dataDir: string, passwordFile: string, { binaries, user, initdbFlags }: How): void {
  const args = [
    `--pgdata=${dataDir}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    // The built-in provider sorts alike on every system, whatever locales are installed.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
    ...initdbFlags,
  ];
  const options = { ...user, cwd: "/", env: { LC_ALL: "C" }, encoding: "utf8" } as const;
  const { status, stderr, error } = spawnSync(program(binaries, "initdb"), args, options);
  if (status !== 0) {
    const reason = error?.message ?? stderr.trim().split("\n")[0];
    throw new TargetError(`The embedded PostgreSQL could not be set up in ${dataDir}: ${reason}.`);
  }
}

function readPassword(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new TargetError(
      `${file} cannot be read: start the command as the user who made the embedded database, or remove its folder.`,
      { cause },
    );
  }
}
