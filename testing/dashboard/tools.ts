import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Context } from "mocha";
import { findRuntime, type Runtime, RuntimeMissing } from "../../cli/dashboard/runtime.js";
import { buildAssets } from "../../dashboard/assets.js";

/** The path of the first of these programs on PATH. */
export function findProgram(...names: string[]): string | null {
  for (const name of names)
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {}
    }
  return null;
}

/** Says why and skips, or fails where the machine is to have everything (`REQUIRE_DASHBOARD_TESTS=1`). */
function without(context: Context, reason: string): never {
  if (process.env.REQUIRE_DASHBOARD_TESTS === "1") throw new Error(reason);
  console.log(`      skipped: ${reason}`);
  return context.skip();
}

export function requireR(context: Context): Runtime {
  buildAssets();
  try {
    return findRuntime();
  } catch (error) {
    if (error instanceof RuntimeMissing) return without(context, error.message);
    throw error;
  }
}

export function requireChromium(context: Context): string {
  return (
    findProgram("chromium", "chromium-browser", "google-chrome") ??
    without(context, "no Chromium: apt-get install chromium")
  );
}
