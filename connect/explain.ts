import { firstPgError, pgFault } from "etl-lib";
import type { Connection } from "./connection.js";

/** Why the configured database cannot be used and which setting to look at: one sentence, without the password. */
export function explainConnectionError(error: unknown, connection: Connection): string {
  const { host, port, user, database, ssl } = connection;
  const place = `${host}:${port}`;
  const { code, message } = firstPgError(error);
  switch (pgFault(error)) {
    case "pg-hba":
      return `PostgreSQL at ${place} does not let "${user}" in from here (${message}): check DWH_USER, DWH_DATABASE and DWH_SSL (now ${ssl}).`;
    case "login":
      return `PostgreSQL at ${place} refused the login of "${user}": check DWH_USER and DWH_PASSWORD.`;
    case "database":
      return `PostgreSQL at ${place} has no database "${database}": create it or correct DWH_DATABASE.`;
    case "starting":
      return `PostgreSQL at ${place} is starting or stopping: try again in a moment.`;
    case "host-unknown":
    case "resolver":
      return `The host "${host}" is not known: check DWH_HOST.`;
    case "unreachable":
      return `Nothing answers at ${place} (${code || "timeout"}): check DWH_HOST and DWH_PORT, and that the server or the tunnel is up.`;
    case "no-tls":
      return `PostgreSQL at ${place} offers no TLS, but DWH_SSL is ${ssl}: set DWH_SSL=disable if that network is trusted.`;
    case "certificate":
      return `The certificate of ${place} is not trusted (${code}): name its authority in DWH_SSL_CA_PARAMETER, or set DWH_SSL=require to go without the check.`;
    default:
      return `PostgreSQL at ${place} cannot be used (${message || code}): check the DWH_* settings.`;
  }
}
