import { Command } from "commander";
import { jsonOption } from "./commands/options.js";
import { ENVIRONMENT_HELP, outputOption, runCommand } from "./deployed/command.js";
import { openDeployed } from "./deployed/deployed.js";
import { examine } from "./doctor/doctor.js";
import { reportText } from "./doctor/report.js";
import { EXIT } from "./exit.js";

const command = new Command("doctor")
  .description("Checks from outside that a deployed environment keeps its promises. Changes nothing.")
  .addOption(jsonOption())
  .addOption(outputOption())
  .addHelpText(
    "after",
    `${ENVIRONMENT_HELP}

One line for each check: ✔ it holds, ✘ it fails, ? it could not be made. After the arrow stands what to do.
Exit codes: 0 all hold, 1 something fails or could not be checked, 2 wrong usage.`,
  )
  .action(doctor);

async function doctor({ json, output }: { json?: true; output: string }): Promise<void> {
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

await runCommand(command);
