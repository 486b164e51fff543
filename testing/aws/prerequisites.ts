import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** What the emulator suite runs on. */
export interface AwsPrerequisites {
  /** Folder to name as `filesystem_mirror`: it holds registry.terraform.io/hashicorp/aws/. */
  readonly providerMirror: string;
}

/** Either the prerequisites, or one sentence for each that is missing. */
export type Prerequisites = { readonly found: AwsPrerequisites } | { readonly missing: readonly string[] };

const REGISTRY = "registry.terraform.io";
const SEARCH_DEPTH = 3;
// terraform's own implied mirror folders, and where machine images put software that no package owns
const PLUGIN_FOLDERS = [
  join(homedir(), ".terraform.d"),
  join(homedir(), ".local/share/terraform"),
  "/usr/share",
  "/usr/local/share",
  "/usr/local/lib",
  "/opt",
];

/** Looks for Terraform, moto_server and a mirror of the AWS provider. */
export function findPrerequisites(env = process.env): Prerequisites {
  const providerMirror = findProviderMirror(env.TF_PLUGIN_MIRROR);
  const missing = [...missingCommands()];
  if (providerMirror === null) {
    missing.push(
      "No mirror of the AWS provider was found: `terraform providers mirror DIR` makes one, TF_PLUGIN_MIRROR=DIR names it.",
    );
  }
  return providerMirror === null || missing.length > 0 ? { missing } : { found: { providerMirror } };
}

function missingCommands(): string[] {
  const missing: string[] = [];
  if (!runs("terraform", ["version"]))
    missing.push("`terraform` is not on the PATH: install Terraform 1.11 or newer.");
  if (!runs("moto_server", ["--help"]))
    missing.push("`moto_server` is not on the PATH: `pip install 'moto[server]'` brings it.");
  return missing;
}

function runs(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The folder above `registry.terraform.io/hashicorp/aws/…/terraform-provider-aws*`, or null. */
export function findProviderMirror(override?: string): string | null {
  const roots = override ? [override] : PLUGIN_FOLDERS;
  for (const root of roots) {
    const mirror = searchMirror(root, SEARCH_DEPTH);
    if (mirror !== null) return mirror;
  }
  return null;
}

function searchMirror(folder: string, depth: number): string | null {
  if (holdsProvider(join(folder, REGISTRY, "hashicorp/aws"))) return folder;
  if (depth === 0) return null;
  for (const name of subfolders(folder)) {
    const mirror = searchMirror(join(folder, name), depth - 1);
    if (mirror !== null) return mirror;
  }
  return null;
}

function holdsProvider(folder: string): boolean {
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).some((path) =>
    /(^|\/)terraform-provider-aws[^/]*$/.test(path),
  );
}

function subfolders(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
