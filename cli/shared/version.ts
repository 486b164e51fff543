import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "./project.js";

/** What is said of a Node that works and will not for long; null for one that is fine. */
export function nodeAdvice(version = process.versions.node): string | null {
  if (Number.parseInt(version, 10) >= 22) return null;
  return `Node ${version} works; 22 is recommended: it is the function's, and AWS's SDK asks for it from January 2027.`;
}

export function versionText(): string {
  const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8"));
  return [version, nodeAdvice()].filter((line) => line !== null).join("\n");
}
