import { isRefused } from "../../functions/etl/warehouse.js";
import { type Connection, errorCode } from "./connection.js";

const LOGIN_REFUSED = ["28P01", "28000"];
const NO_DATABASE = "3D000";
const NOT_NOW = "57P03";
const NO_HOST = ["ENOTFOUND", "EAI_AGAIN"];
const UNREACHABLE = ["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ECONNRESET", "EACCES"];

/** Why the configured database cannot be used and which setting to look at: one sentence, without the password. */
export function explainConnectionError(error: unknown, connection: Connection): string {
  const { host, port, user, database } = connection;
  const place = `${host}:${port}`;
  const code = errorCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (/pg_hba\.conf/.test(message)) {
    return `PostgreSQL at ${place} does not let "${user}" in from here (${message}): check DWH_USER, DWH_DATABASE and DWH_SSL (now ${connection.ssl}).`;
  }
  if (LOGIN_REFUSED.includes(code)) {
    return `PostgreSQL at ${place} refused the login of "${user}": check DWH_USER and DWH_PASSWORD.`;
  }
  if (code === NO_DATABASE) {
    return `PostgreSQL at ${place} has no database "${database}": create it or correct DWH_DATABASE.`;
  }
  if (code === NOT_NOW) return `PostgreSQL at ${place} is starting or stopping: try again in a moment.`;
  if (NO_HOST.includes(code)) return `The host "${host}" is not known: check DWH_HOST.`;
  if (UNREACHABLE.includes(code) || /timeout/i.test(message)) {
    return `Nothing answers at ${place} (${code || "timeout"}): check DWH_HOST and DWH_PORT, and that the server or the tunnel is up.`;
  }
  if (/does not support SSL/.test(message)) {
    return `PostgreSQL at ${place} offers no TLS, but DWH_SSL is ${connection.ssl}: set DWH_SSL=disable if that network is trusted.`;
  }
  if (isRefused(error)) {
    return `The certificate of ${place} is not trusted (${code}): name its authority in DWH_SSL_CA_PARAMETER, or set DWH_SSL=require to go without the check.`;
  }
  return `PostgreSQL at ${place} cannot be used (${message || code}): check the DWH_* settings.`;
}
