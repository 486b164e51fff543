import type { Command } from "commander";
import { openDeployed } from "../deployed/deployed.js";
import { EXIT } from "../shared/failure.js";
import { addDeployedOptions, jsonOption } from "../shared/options.js";
import { nodeAdvice } from "../shared/version.js";
import { examine } from "./doctor.js";
import { reportText } from "./report.js";

const HELP = `One line for each check: ✔ it holds, ✘ it fails, ? it could not be made. After the arrow stands what to do.
Exit codes: 0 all hold, 1 something fails or could not be checked, 2 wrong usage.`;

export const define = (command: Command): Command =>
  addDeployedOptions(command, HELP).addOption(jsonOption()).action(doctor);

async function doctor({ json, output }: { json?: true; output: string }): Promise<void> {
  const advice = nodeAdvice();
  if (advice !== null) console.error(advice);
  const deployed = openDeployed(output, process.env);
  const findings = await examine({ deployed, now: new Date() });
  const { environment, region } = deployed.config;
  const isWell = findings.every(({ status }) => status === "holds");
  console.log(
    json
      ? JSON.stringify({ environment, region, holds: isWell, checks: findings }, null, 2)
      : `${environment} in ${region}\n\n${reportText(findings)}`,
  );
  if (!isWell) process.exitCode = EXIT.failed;
}
