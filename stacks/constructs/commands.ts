import type { BaseStack } from "../base-stack.js";
import { PORTS, sessionDocument } from "../names.js";
import type { PostgresHost } from "./postgres-host.js";

/** Shell commands that an operator pastes; each prints or does one thing. */
export function tunnelCommands(stack: BaseStack, host: PostgresHost) {
  const { region, warehouseDatabase } = stack.config;
  const parameter = (name: string) =>
    `$(aws ssm get-parameter --region ${region} --with-decryption --name ${name} --query Parameter.Value --output text)`;
  const password = parameter(host.secrets.password("analyst-password").name);
  const certificate = parameter(host.secrets.certificate.name);
  // The certificate names the host's own address, so libpq checks that one while it connects to the tunnel's end.
  const connection = [
    `host=${host.address} hostaddr=127.0.0.1 port=${PORTS.localPostgres} dbname=${warehouseDatabase}`,
    "user=analyst sslmode=verify-full sslrootcert=warehouse.pem",
  ].join(" ");
  return {
    dashboard_tunnel_command: forward(stack, host, "dashboard", PORTS.shiny),
    psql_tunnel_command: forward(stack, host, "psql", PORTS.localPostgres),
    psql_command: `echo "${certificate}" > warehouse.pem && PGPASSWORD="${password}" psql "${connection}"`,
  };
}

function forward(
  { config }: BaseStack,
  { instance }: PostgresHost,
  kind: "dashboard" | "psql",
  localPort: number,
): string {
  const session = `aws ssm start-session --region ${config.region} --target ${instance.id}`;
  return `${session} --document-name ${sessionDocument(config, kind)} --parameters localPortNumber=${localPort}`;
}
