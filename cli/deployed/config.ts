import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, loadConfig } from "../../stacks/config.js";

/**
 * The configuration that a deploy from this folder has: as cdktf does it, the `context` of cdktf.json takes the place
 * of CDKTF_CONTEXT_JSON.
 *
 * @throws {ConfigError} a value breaks its rule
 */
export function readConfig(folder: string, env: Readonly<Record<string, string | undefined>>): Config {
  const { context } = JSON.parse(readFileSync(join(folder, "cdktf.json"), "utf8"));
  return loadConfig(context ?? JSON.parse(env.CDKTF_CONTEXT_JSON ?? "{}"));
}
