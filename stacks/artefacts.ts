import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readMigrations } from "etl-lib/migrations";
import { bundleFunction, type FunctionBundle, writeAtomically } from "../functions/etl/bundle.js";
import { renderHostFiles } from "./bootstrap/render.js";
import { HOST_FILES_KEY } from "./names.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DASHBOARD = join(ROOT, "dashboard/dist/dashboard-runtime.tar.zst");

/** A file that a stack uploads. */
export interface Artefact {
  /** Its name in its folder of the bucket. */
  readonly name: string;
  readonly path: string;
}

/** The dashboard's runtime bundle, its checksum file, and what that says. */
export interface DashboardBundle {
  readonly files: readonly Artefact[];
  readonly sha256: string;
}

/** What the stacks deploy and do not make themselves. */
export interface Artefacts {
  readonly function: FunctionBundle;
  /** What a PostgreSQL host is set up with. */
  readonly hostFiles: Artefact;
  /** etl-lib's numbered SQL, in order. */
  readonly migrations: readonly Artefact[];
  /** Null until `npm run dashboard:bundle` has made it. */
  readonly dashboard: DashboardBundle | null;
}

/** Builds the function's bundle and the hosts' files, and finds the rest in the work tree. */
export function collectArtefacts(): Artefacts {
  return {
    function: bundleFunction(),
    hostFiles: writeHostFiles(join(ROOT, "dist")),
    migrations: readMigrations(),
    dashboard: findDashboard(),
  };
}

/** Writes them to `host/files.sh` in `outDir`. */
export function writeHostFiles(outDir: string): Artefact {
  const path = join(outDir, HOST_FILES_KEY);
  writeAtomically(path, renderHostFiles());
  return { name: basename(path), path };
}

function findDashboard(): DashboardBundle | null {
  const checksum = `${DASHBOARD}.sha256`;
  if (!existsSync(DASHBOARD) || !existsSync(checksum)) return null;
  const files = [DASHBOARD, checksum].map((path) => ({ name: basename(path), path }));
  return { files, sha256: readFileSync(checksum, "utf8").trim().split(/\s/)[0] ?? "" };
}
