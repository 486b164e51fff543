import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { readMigrations } from "etl-lib/migrations";
import { type Zippable, zipSync } from "fflate";

export interface FunctionBundle {
  /** The deployment package: etl/index.mjs and, where etl-lib looks for its migrations from there, sql/*.sql. */
  readonly zipPath: string;
  /** SHA-256 of the package in base64, as Terraform's `source_code_hash` has it. */
  readonly hash: string;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ENTRY = "functions/etl/handler.ts";
// Some dependencies are CommonJS and require node's own modules, which an ES module bundle cannot do by itself.
const BANNER = 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);';

/**
 * Builds the function's deployment package. The same sources give the same bytes, whoever builds and wherever.
 *
 * @param outDir where `etl.zip` is written. @default dist/functions in the repository
 */
export function bundleFunction(outDir = join(ROOT, "dist/functions")): FunctionBundle {
  const zip = zipSync(reproducible({ "etl/index.mjs": buildEntry(), ...migrations() }));
  const zipPath = join(outDir, "etl.zip");
  writeAtomically(zipPath, zip);
  return { zipPath, hash: createHash("sha256").update(zip).digest("base64") };
}

function buildEntry(): Uint8Array {
  const result = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [ENTRY],
    outfile: "index.mjs",
    write: false,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node22",
    format: "esm",
    mainFields: ["module", "main"],
    external: ["pg-native"],
    legalComments: "none",
    logLevel: "error",
    banner: { js: BANNER },
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`esbuild made no output of ${ENTRY}.`);
  return output.contents;
}

const migrations = (): Record<string, Uint8Array> =>
  Object.fromEntries(readMigrations().map(({ name, path }) => [`sql/${name}`, readFileSync(path)]));

/** Fixed dates (the format's own zero, which has no time zone) and modes: a zip of the content alone. */
function reproducible(files: Record<string, Uint8Array>): Zippable {
  const options = { level: 9, mtime: new Date(1980, 0, 1), os: 3, attrs: 0o644 << 16 } as const;
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [name, [content, options]]));
}

/** Two synths at once must not see half a file. */
export function writeAtomically(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}
