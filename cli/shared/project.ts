import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const PROJECT_ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Adds what `.env` says to `process.env`; a variable that is set already wins. */
export function loadDotEnv(root = PROJECT_ROOT): void {
  const file = join(root, ".env");
  if (existsSync(file)) process.loadEnvFile(file);
}

/** The process's environment with what `.env` adds to it. */
export function environment(root = PROJECT_ROOT): NodeJS.ProcessEnv {
  loadDotEnv(root);
  return process.env;
}
