import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Holds what comes with the commands: from cli/shared/ and, bundled, from dist/cli/ it is two folders up. */
export const PROJECT_ROOT = join(fileURLToPath(new URL(".", import.meta.url)), "../../");

/** Not so of the installed package. */
export const IS_CHECKOUT = existsSync(join(PROJECT_ROOT, "cli/main.ts"));

/** Holds what belongs to the user, `.env`, `.local/` and cdktf.json: the checkout or, of the installed package, where it is called. */
export const WORK_FOLDER = IS_CHECKOUT ? PROJECT_ROOT : process.cwd();

/** Adds what `.env` says to `process.env`; a variable that is set already wins. */
export function loadDotEnv(root = WORK_FOLDER): void {
  const file = join(root, ".env");
  if (existsSync(file)) process.loadEnvFile(file);
}

/** The process's environment with what `.env` adds to it. */
export function environment(root = WORK_FOLDER): NodeJS.ProcessEnv {
  loadDotEnv(root);
  return process.env;
}
