import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

/**
 * `npm run check:cdktn`: the same app under CDK Terrain, the successor of the archived CDKTF. A copy with the imports
 * swapped is installed and synthesized, and its JSON has to be ours but for what says who made it.
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Inside the work tree, so that whatever is not replaced is found in its node_modules. */
const COPY = join(ROOT, ".local/cdktn");
const SOURCES = ["main.ts", "stacks", "functions", "connect", "etl-lib"];
const SWAPPED: readonly [RegExp, string][] = [
  [/(from|import\()(\s*)"cdktf"/g, '$1$2"cdktn"'],
  [/"@cdktf\/provider-aws\//g, '"@cdktn/provider-aws/'],
];
const PACKAGES = ["cdktn@0.24", "@cdktn/provider-aws@25.7", "constructs@<10.8"];
/** What it wants to know beside our own context. */
const CONTEXT = { targetVersions: { terraform: ">=1.11.0", opentofu: ">=1.11.0" } };
const VARIANTS: Readonly<Record<string, object>> = {
  "the defaults": {},
  "everything switched on": {
    webDb: true,
    webDbAllowedCidrs: ["203.0.113.0/24"],
    createRawBucket: true,
    tracing: true,
    alarmEmail: "data@example.com",
    stateBucket: null,
  },
};

type Json = { readonly [key: string]: unknown };

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): string {
  return execFileSync(program, args, { cwd, env: { ...process.env, ...env }, encoding: "utf8" });
}

/** Node 22, which CDK Terrain asks for: this one, or the one that npm has a package of. */
function installNode(): string {
  if (Number(process.versions.node.split(".")[0]) >= 22) return process.execPath;
  run("npm", ["install", "--no-audit", "--no-fund", "node@22"], COPY);
  const program = join(COPY, "node_modules/node/bin/node");
  console.log(`Node ${run(program, ["--version"], COPY).trim()} from npm, for here is ${process.version}.`);
  return program;
}

function copyApp(): void {
  rmSync(COPY, { recursive: true, force: true });
  mkdirSync(COPY, { recursive: true });
  const isSource = (path: string) => !/\/(node_modules|dist)$/.test(path);
  for (const name of SOURCES)
    cpSync(join(ROOT, name), join(COPY, name), { recursive: true, filter: isSource });
  for (const name of readdirSync(join(COPY, "stacks"), { recursive: true, encoding: "utf8" }))
    if (name.endsWith(".ts")) swapImports(join(COPY, "stacks", name));
  swapImports(join(COPY, "main.ts"));
  // npm's package of Node lays its binary by a script of its own
  const manifest = { private: true, type: "module", allowScripts: { node: true } };
  writeFileSync(join(COPY, "package.json"), JSON.stringify(manifest));
}

function swapImports(path: string): void {
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    SWAPPED.reduce((swapped, [pattern, by]) => swapped.replace(pattern, by), text),
  );
}

/** The JSON of every stack, less what says who made it. */
function synthesize(program: string, folder: string, context: object): Map<string, Json> {
  const out = join(COPY, `out-${folder === COPY ? "cdktn" : "cdktf"}`);
  rmSync(out, { recursive: true, force: true });
  const env = { CDKTF_OUTDIR: out, CDKTN_OUTDIR: out, CDKTF_CONTEXT_JSON: JSON.stringify(context) };
  run(program, ["--import=tsx/esm", "main.ts"], folder, env);
  const read = (stack: string) => JSON.parse(readFileSync(join(out, "stacks", stack, "cdk.tf.json"), "utf8"));
  return new Map(readdirSync(join(out, "stacks")).map((stack) => [stack, withoutMaker(read(stack))]));
}

function withoutMaker(json: Json): Json {
  const isMaker = (path: string) => /^\/\/$|^terraform\/required_providers\/aws\/source$/.test(path);
  const strip = (value: unknown, path: string): unknown => {
    if (!isObject(value) || Array.isArray(value)) return value;
    const kept = Object.entries(value).filter(([key]) => !isMaker(path + key));
    return Object.fromEntries(kept.map(([key, child]) => [key, strip(child, `${path}${key}/`)]));
  };
  return strip(json, "") as Json;
}

/** Paths at which two values differ. */
function differences(ours: unknown, theirs: unknown, path = ""): string[] {
  if (isDeepStrictEqual(ours, theirs)) return [];
  if (!isObject(ours) || !isObject(theirs))
    return [`${path}: ${JSON.stringify(ours)} here, ${JSON.stringify(theirs)} under cdktn`];
  const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  return [...keys].flatMap((key) => differences(ours[key], theirs[key], `${path}/${key}`));
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}

copyApp();
run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...PACKAGES], COPY);
const node22 = installNode();
for (const [variant, context] of Object.entries(VARIANTS)) {
  const ours = synthesize(process.execPath, ROOT, context);
  const theirs = synthesize(node22, COPY, { ...context, ...CONTEXT });
  const found = differences(Object.fromEntries(ours), Object.fromEntries(theirs));
  console.log(`${variant}: ${ours.size} stacks, ${found.length} differences`);
  for (const line of found.slice(0, 20)) console.log(`  ${line}`);
  if (found.length > 0 || ours.size !== theirs.size) process.exitCode = 1;
}
