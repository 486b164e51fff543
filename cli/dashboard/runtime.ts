import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { CommandError } from "../shared/failure.js";
import { PROJECT_ROOT, WORK_FOLDER } from "../shared/project.js";

/** Where R runs the app: a command line that takes a script of `folder` and its environment. */
export interface Runtime {
  readonly command: string;
  readonly args: readonly string[];
  /** The app's folder as that command sees it. */
  readonly app: string;
  /** For people: "R 4.5.0" or "the bundle 1a2b3c4d in a chroot". */
  readonly description: string;
}

/** No runtime can be had here. The message is one sentence with the line that installs it. */
export class RuntimeMissing extends CommandError {
  override readonly name = "RuntimeMissing";
}

const SOURCES = join(PROJECT_ROOT, "dashboard");
const BUNDLE = join(SOURCES, "dist", "dashboard-runtime.tar.zst");
/** What the app's code loads; packages.txt names the Debian packages that bring it. */
const R_PACKAGES = ["shiny", "bslib", "DBI", "RPostgreSQL", "cachem"];
/** The first with every component the page is made of: Debian 13 has it, Debian 12 does not. */
const BSLIB = "0.9.0";
const PACKAGES = readFileSync(join(SOURCES, "packages.txt"), "utf8").trim().replaceAll("\n", " ");
export const INSTALL_LINE = `apt-get install ${PACKAGES}`;

/** R of this machine with the packages it needs, else the bundle's in a chroot; either runs the sources. @throws {RuntimeMissing} */
export function findRuntime(): Runtime {
  const found = machineRuntime();
  if (typeof found !== "string") return found;
  if (existsSync(BUNDLE)) return withSources(bundleRuntime(BUNDLE));
  throw new RuntimeMissing(
    `${found}: build the bundle with "npm run dashboard:bundle", or run "${INSTALL_LINE}" (Debian 13).`,
  );
}

/** @returns the reason in words where this machine's R cannot run the app */
function machineRuntime(): Runtime | string {
  const check = `cat(Filter(function(p) !requireNamespace(p, quietly = TRUE), c(${R_PACKAGES.map((name) => `"${name}"`).join(", ")})))
    cat("\\n", as.character(getRversion()), sep = "")
    cat("\\n", as.character(packageVersion("bslib")), "\\n", packageVersion("bslib") >= "${BSLIB}", sep = "")`;
  const { stdout, error } = spawnSync("Rscript", ["-e", check], { encoding: "utf8" });
  if (error !== undefined) return "R is not installed";
  const [missing, version, bslib, isNewEnough] = stdout.split("\n");
  if (missing === undefined || version === undefined) return "R does not start";
  if (missing.trim() !== "") return `R lacks the packages ${missing.trim().replaceAll(" ", ", ")}`;
  if (isNewEnough !== "TRUE") return `R has bslib ${bslib}, and the dashboard needs ${BSLIB}`;
  return { command: "Rscript", args: [], app: join(SOURCES, "app"), description: `R ${version}` };
}

/** Unpacks the bundle beside the sources, once for each content. @throws {RuntimeMissing} */
export function bundleRuntime(
  bundle: string,
  folder = join(WORK_FOLDER, ".local", "dashboard"),
): Runtime & { readonly root: string } {
  if (process.platform !== "linux") throw new RuntimeMissing("The dashboard's bundle runs on Linux only.");
  const sum = createHash("sha256").update(readFileSync(bundle)).digest("hex");
  const root = join(folder, sum);
  if (!existsSync(root)) unpack(bundle, folder, root);
  for (const name of readdirSync(folder))
    if (name !== sum && !name.startsWith("new-"))
      rmSync(join(folder, name), { recursive: true, force: true });
  const description = `the bundle ${sum.slice(0, 8)} in a chroot`;
  const shared = { app: "/srv/dashboard", description, root };
  if (process.getuid?.() === 0) return { command: "chroot", args: [root, "/usr/bin/Rscript"], ...shared };
  // Without root: a user namespace of its own, where the machine's /dev is lent to it.
  const enter = `mount --rbind /dev "$0/dev" && exec chroot "$0" /usr/bin/Rscript "$@"`;
  return { command: "unshare", args: ["-rm", "sh", "-c", enter, root], ...shared };
}

/** The same R on the app as it is in the sources now, once for each content: the bundle need not be built for every change. */
function withSources({ root, ...runtime }: Runtime & { readonly root: string }): Runtime {
  const hash = createHash("sha256");
  const files = ["app", "tests"].flatMap((part) =>
    readdirSync(join(SOURCES, part), { recursive: true, encoding: "utf8" }).map((name) => join(part, name)),
  );
  for (const file of files.sort().filter((name) => statSync(join(SOURCES, name)).isFile()))
    hash.update(file).update(readFileSync(join(SOURCES, file)));
  const name = `sources-${hash.digest("hex").slice(0, 16)}`;
  const place = join(root, "srv", name);
  if (!existsSync(place)) {
    const draft = mkdtempSync(join(root, "srv", "new-"));
    for (const part of ["app", "tests"]) cpSync(join(SOURCES, part), join(draft, part), { recursive: true });
    put(draft, place);
  }
  return { ...runtime, app: `/srv/${name}/app` };
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
  put(draft, root);
}

/** Whole or not at all; where two do it at once the first one's stays. */
function put(draft: string, place: string): void {
  try {
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
}
