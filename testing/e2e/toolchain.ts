import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../terraform/terraform.js";

/** What Lambda brings to a function: its Node and its runtime interface client. */
export interface Toolchain {
  /** Node 22, as `nodejs22.x` runs. */
  readonly node: string;
  /** Entry of aws-lambda-ric, the client of the runtime API that Lambda itself runs. */
  readonly client: string;
}

const FOLDER = join(REPOSITORY, ".local/e2e");
const MODULES = join(FOLDER, "node_modules");
const PACKAGES = ["node@22.23.3", "aws-lambda-ric@4.0.2"];
const NODE = join(MODULES, "node/bin/node");
const CLIENT = join(MODULES, "aws-lambda-ric/index.mjs");
/** The last thing that the client's installation makes. */
const NATIVE = join(MODULES, "aws-lambda-ric/rapid-client.node");
const BUILD_TOOLS = ["cmake", "autoconf", "automake", "libtoolize", "make", "g++"];

/** What is missing to install or run them: a sentence, or null. */
export function missingForToolchain(): string | null {
  const commands = ["aws", "setpriv", ...(isInstalled() ? [] : BUILD_TOOLS)];
  const missing = commands.filter((command) => spawnSync("which", [command]).status !== 0);
  if (missing.length === 0) return null;
  return `Not on the PATH: ${missing.join(", ")}. \`apt-get install util-linux autoconf automake libtool cmake make g++\` and \`pip install awscli\` bring them.`;
}

/** Installs them below .local/e2e, once: the client builds for about two minutes. Never a dependency of the project. */
export function installToolchain(): Toolchain {
  if (!isInstalled()) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, "package.json"), '{ "private": true }\n');
    // N-API keeps its promise across versions of Node: built by the one, loaded by the other.
    execFileSync("npm", ["install", "--no-save", "--loglevel=error", "--prefix", FOLDER, ...PACKAGES], {
      cwd: FOLDER,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return { node: NODE, client: CLIENT };
}

function isInstalled(): boolean {
  return existsSync(NODE) && existsSync(NATIVE);
}
