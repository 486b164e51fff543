import { spawnSync } from "node:child_process";
import { isTaken } from "../../connect/local-port.js";
import type { Deployed } from "../deployed/deployed.js";
import { inspectAgent, inspectInstance } from "../deployed/host.js";
import { CommandError } from "../shared/failure.js";

const CLI_DOCS = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html";
const PLUGIN_DOCS =
  "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html";

/** The AWS CLI and its plugin, by the PATH of `env`. @throws {CommandError} one of them is missing */
export function assertPrograms(env: NodeJS.ProcessEnv): void {
  if (!starts("aws", env))
    throw new CommandError(`The AWS CLI is not installed: \`aws\` does not start. Install it: ${CLI_DOCS}`);
  if (!starts("session-manager-plugin", env))
    throw new CommandError(
      `The AWS CLI's Session Manager plugin is not installed: \`session-manager-plugin\` does not start. Install it: ${PLUGIN_DOCS}`,
    );
}

function starts(program: string, env: NodeJS.ProcessEnv): boolean {
  return spawnSync(program, ["--version"], { env, stdio: "ignore" }).status === 0;
}

/** @throws {CommandError} the instance is not there, not running or not online in Systems Manager */
export async function assertReachable(deployed: Deployed): Promise<void> {
  for (const inspect of [inspectInstance, inspectAgent]) {
    const condition = await inspect(deployed);
    if (condition.holds) continue;
    throw new CommandError(`${condition.detail}: ${condition.fix}.`);
  }
}

/** @throws {CommandError} something listens there already */
export async function assertFree(localPort: number): Promise<void> {
  if (await isTaken(localPort))
    throw new CommandError(
      `Port ${localPort} of this machine is taken, perhaps by another tunnel: choose one with --port.`,
    );
}
