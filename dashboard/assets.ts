import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { PROJECT_ROOT } from "../cli/shared/project.js";

const HERE = join(PROJECT_ROOT, "dashboard");

/** Builds the page's script, with what it uses of Apache ECharts, into the app. The same lock file gives the same bytes. */
export function buildAssets(): void {
  buildSync({
    entryPoints: [join(HERE, "page.js")],
    outfile: join(HERE, "app/www/app.js"),
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    legalComments: "eof",
    logLevel: "error",
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildAssets();
