import { Argument, type Command } from "commander";
import { LOOPBACK } from "../../connect/local-port.js";
import { sessionDocument } from "../../stacks/names.js";
import { type Deployed, openDeployed } from "../deployed/deployed.js";
import { addDeployedOptions, wholeNumber } from "../shared/options.js";
import { assertFree, assertPrograms, assertReachable } from "./prerequisites.js";
import { SERVICES, type ServiceName } from "./service.js";
import { keepTunnel } from "./tunnel.js";

const HELP = `Needs the AWS CLI with its Session Manager plugin. A session that ends, as each does after a while, is followed by the next.
Exit codes: 0 stopped by Ctrl-C, 1 the tunnel cannot be had, 2 wrong usage.`;

export const define = (command: Command): Command =>
  addDeployedOptions(command, HELP)
    .addArgument(
      new Argument("[service]", "what to open").choices(Object.keys(SERVICES)).default("dashboard"),
    )
    .option(
      "--port <number>",
      `port of this machine (default: ${SERVICES.dashboard.localPort} for dashboard, ${SERVICES.psql.localPort} for psql)`,
      wholeNumber(1, 65_535),
    )
    .action(tunnel);

async function tunnel(name: ServiceName, options: { port?: number; output: string }): Promise<void> {
  const service = SERVICES[name];
  const localPort = options.port ?? service.localPort;
  const deployed = openDeployed(options.output, process.env);
  assertPrograms(process.env);
  await assertReachable(deployed);
  await assertFree(localPort);
  const instanceId = await deployed.output("warehouse", "instance_id");
  const address = await describeAddress(deployed, name, localPort);
  const { region, warehouseName } = deployed.config;
  const document = sessionDocument(deployed.config, name);
  console.log(`Connecting to ${warehouseName} (${instanceId}) in ${region} …`);
  await keepTunnel({
    forwarding: { region, instanceId, document, localPort },
    service,
    signal: stopSignal(),
    env: process.env,
    onOpen: announce(`\n${address}\n\nCtrl-C closes it.`),
    onEvent: console.log,
  });
  console.log("Closed.");
}

/** The address does not change: it is printed once. */
function announce(address: string): () => void {
  let isFirst = true;
  return () => {
    console.log(isFirst ? address : "Open again.");
    isFirst = false;
  };
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => controller.abort());
  return controller.signal;
}

/** The address to open, or the command to paste: the stack's own, with this tunnel's port. */
async function describeAddress(deployed: Deployed, name: ServiceName, localPort: number): Promise<string> {
  if (name === "dashboard") return `  http://${LOOPBACK}:${localPort}`;
  const psql = await deployed.output("warehouse", "psql_command");
  const ready = psql.replace(/\bport=\d+/, `port=${localPort}`);
  return `  ${LOOPBACK}:${localPort}, for which this is the command, in a second terminal:\n\n${ready}`;
}
