import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readMigrations } from "etl-lib/migrations";
import { bundleFunction, type FunctionBundle } from "../functions/etl/bundle.js";

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
  /** etl-lib's numbered SQL, in order. */
  readonly migrations: readonly Artefact[];
  /** Null until `npm run dashboard:bundle` has made it. */
  readonly dashboard: DashboardBundle | null;
}

/** Builds the function's bundle and finds the rest in the work tree. */
export function collectArtefacts(): Artefacts {
  return { function: bundleFunction(), migrations: readMigrations(), dashboard: findDashboard() };
}

function findDashboard(): DashboardBundle | null {
  const checksum = `${DASHBOARD}.sha256`;
  if (!existsSync(DASHBOARD) || !existsSync(checksum)) return null;
  const files = [DASHBOARD, checksum].map((path) => ({ name: path.slice(path.lastIndexOf("/") + 1), path }));
  return { files, sha256: readFileSync(checksum, "utf8").trim().split(/\s/)[0] ?? "" };
}
