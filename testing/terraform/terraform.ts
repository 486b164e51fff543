import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

export interface CommandResult {
  readonly code: number;
  /** Standard output and standard error, in that order, without colours. */
  readonly output: string;
  readonly stdout: string;
}

export const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

/** A Terraform CLI configuration that takes every provider from `mirror`, and none from the network. */
export function writeCliConfig(folder: string, mirror: string): string {
  const path = join(folder, "terraform.rc");
  writeFileSync(
    path,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
  );
  return path;
}

/** The environment for cdktf and terraform that knows the emulator and nothing of the developer's own AWS. */
export function terraformEnvironment(options: {
  endpoint: string;
  cliConfig: string;
  home: string;
}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([key]) => !/^(AWS_|TF_|CDKTF_)/.test(key));
  return {
    ...Object.fromEntries(own),
    HOME: options.home,
    PATH: `${join(REPOSITORY, "node_modules/.bin")}:${dirname(process.execPath)}:${process.env.PATH}`,
    AWS_ACCESS_KEY_ID: "emulator",
    AWS_SECRET_ACCESS_KEY: "emulator",
    AWS_REGION: "ap-southeast-1",
    AWS_ENDPOINT_URL: options.endpoint,
    AWS_EC2_METADATA_DISABLED: "true",
    TF_CLI_CONFIG_FILE: options.cliConfig,
    TF_IN_AUTOMATION: "1",
    CHECKPOINT_DISABLE: "1",
    // A cache would copy the provider, 700 MB; without one Terraform links it from the mirror.
    CDKTF_DISABLE_PLUGIN_CACHE_ENV: "true",
    FORCE_COLOR: "0",
    NO_COLOR: "1",
  };
}

/** Runs a command to its end, whatever its exit code. */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<CommandResult> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exitCode(child)]);
  return { code, stdout, output: stripVTControlCharacters(stdout + stderr) };
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
