import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../shared/failure.js";
import { PROJECT_ROOT } from "../shared/project.js";

/** What runs the app: a command line that `serve.R`'s environment is given to. */
export interface Runtime {
  readonly command: string;
  readonly args: readonly string[];
  /** For people: "R 4.2.2" or "the bundle 1a2b3c4d in a chroot". */
  readonly description: string;
}

/** No runtime can be had here. The message is one sentence with the line that installs it. */
export class RuntimeMissing extends CommandError {
  override readonly name = "RuntimeMissing";
}

const APP = join(PROJECT_ROOT, "dashboard", "app", "serve.R");
const BUNDLE = join(PROJECT_ROOT, "dashboard", "dist", "dashboard-runtime.tar.zst");
/** What the app's code loads; packages.txt names the Debian packages that bring it. */
const R_PACKAGES = ["shiny", "bslib", "DBI", "RPostgreSQL", "cachem"];
export const INSTALL_LINE = `apt-get install ${debianPackages().join(" ")}`;

function debianPackages(): string[] {
  return readFileSync(join(PROJECT_ROOT, "dashboard", "packages.txt"), "utf8")
    .trim()
    .split("\n");
}

/** R of this machine with the packages it needs, else the bundle in a chroot. @throws {RuntimeMissing} */
export function findRuntime(): Runtime {
  const found = machineRuntime();
  if (typeof found !== "string") return found;
  if (existsSync(BUNDLE)) return bundleRuntime(BUNDLE);
  throw new RuntimeMissing(
    `${found}: run "${INSTALL_LINE}" (Debian 12), or build the bundle with "npm run dashboard:bundle".`,
  );
}

/** @returns the reason in words where this machine's R cannot run the app */
export function machineRuntime(): Runtime | string {
  const check = `cat(Filter(function(p) !requireNamespace(p, quietly = TRUE), c(${R_PACKAGES.map((name) => `"${name}"`).join(", ")})))
    cat("\\n", as.character(getRversion()), sep = "")`;
  const { status, stdout, error } = spawnSync("Rscript", ["-e", check], { encoding: "utf8" });
  if (error !== undefined) return "R is not installed";
  const [missing, version] = stdout.split("\n");
  if (status !== 0 || missing === undefined || version === undefined) return "R does not start";
  if (missing.trim() !== "") return `R lacks the packages ${missing.trim().replaceAll(" ", ", ")}`;
  return { command: "Rscript", args: [APP], description: `R ${version}` };
}

/** Unpacks the bundle beside the sources, once for each content. @throws {RuntimeMissing} */
export function bundleRuntime(bundle: string, folder = join(PROJECT_ROOT, ".local", "dashboard")): Runtime {
  if (process.platform !== "linux") throw new RuntimeMissing("The dashboard's bundle runs on Linux only.");
  const sum = createHash("sha256").update(readFileSync(bundle)).digest("hex");
  const root = join(folder, sum);
  if (!existsSync(root)) unpack(bundle, folder, root);
  for (const name of readdirSync(folder))
    if (name !== sum) rmSync(join(folder, name), { recursive: true, force: true });
  const app = ["/usr/bin/Rscript", "/srv/dashboard/serve.R"];
  const description = `the bundle ${sum.slice(0, 8)} in a chroot`;
  if (process.getuid?.() === 0) return { command: "chroot", args: [root, ...app], description };
  // Without root: a user namespace of its own, where the machine's /dev is lent to it.
  const enter = `mount --rbind /dev "$0/dev" && exec chroot "$0" ${app.join(" ")}`;
  return { command: "unshare", args: ["-rm", "sh", "-c", enter, root], description };
}

function unpack(bundle: string, folder: string, root: string): void {
  mkdirSync(folder, { recursive: true });
  const draft = mkdtempSync(join(folder, "new-"));
  const own = process.getuid?.() === 0 ? "-p" : "--no-same-owner --exclude=./dev/*";
  const command = `zstd -dcq "$1" | tar -x ${own} --numeric-owner -C "$2"`;
  const { status, stderr } = spawnSync("bash", ["-o", "pipefail", "-c", command, "unpack", bundle, draft], {
    encoding: "utf8",
  });
  if (status !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw new RuntimeMissing(
      `The dashboard's bundle cannot be unpacked: ${stderr.trim().split("\n").at(-1)}`,
    );
  }
  renameSync(draft, root);
}
