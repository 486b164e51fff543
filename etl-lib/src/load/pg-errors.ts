import { EtlError, LoadError } from "../errors.js";

/** Why PostgreSQL could not do what was asked: as finely as a sentence about it, or a decision, needs it. */
export type PgFault =
  | "login"
  | "pg-hba"
  | "database"
  | "host-unknown"
  | "resolver"
  | "unreachable"
  | "lost"
  | "starting"
  | "busy"
  | "cut-off"
  | "disk-full"
  | "no-tls"
  | "tls"
  | "certificate"
  | "grant"
  | "schema"
  | "name-taken"
  | "other";

/** SQLSTATE, or the code of Node and OpenSSL. The first that matches counts. */
const BY_CODE: readonly [pattern: RegExp, fault: PgFault][] = [
  [/^28/, "login"],
  [/^3D000$/, "database"],
  [/^42501$/, "grant"],
  [/^(42P01|42703|3F000)$/, "schema"],
  [/^42P07$/, "name-taken"],
  [/^53100$/, "disk-full"],
  [/^57P03$/, "starting"],
  [/^(08|25P0[34]|57P0)/, "lost"],
  // Serialization, deadlock, out of memory or connections, a lock that was not granted.
  [/^(40001|40P01|53|55P03)/, "busy"],
  [/^57014$/, "cut-off"],
  [/^ENOTFOUND$/, "host-unknown"],
  [/^EAI_AGAIN$/, "resolver"],
  [/^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EACCES)$/, "unreachable"],
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, "unreachable"],
  [/^(ERR_TLS_CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|HOSTNAME_MISMATCH|INVALID_CA)/, "certificate"],
  [/^(ERR_TLS|ERR_SSL|EPROTO)/, "tls"],
];

/** What `pg` says without a code. */
const BY_MESSAGE: readonly [pattern: RegExp, fault: PgFault][] = [
  [/does not support SSL/i, "no-tls"],
  [/connection timeout|timeout expired|timeout exceeded/i, "unreachable"],
  [/Connection terminated|Client has encountered a connection/i, "lost"],
];

const RETRIABLE: readonly PgFault[] = [
  "resolver",
  "unreachable",
  "lost",
  "starting",
  "busy",
  "cut-off",
  "disk-full",
];

const ADVICE: { readonly [fault in PgFault]?: string } = {
  login: "check DWH_USER and DWH_PASSWORD (or the parameter that DWH_PASSWORD_PARAMETER names)",
  "pg-hba": "check DWH_USER, DWH_DATABASE and DWH_SSL: no rule of its pg_hba.conf lets this in",
  database: "check DWH_DATABASE",
  "host-unknown": "check DWH_HOST",
  grant: "the role in DWH_USER lacks a grant: apply the migrations as the owner, then use etl_writer",
  schema: "the schema is not the one this version needs: run `npm run etl:local -- migrate`",
  "name-taken": "rename or move the table that bears the name: the migrations make it themselves",
  "no-tls": "set DWH_SSL=disable for a server without TLS",
  tls: "check DWH_SSL and the certificate that DWH_SSL_CA_PARAMETER names",
  certificate: "check DWH_SSL and the certificate that DWH_SSL_CA_PARAMETER names",
};

/** The one classification of what `pg`, PostgreSQL, the network and TLS report. */
export function pgFault(error: unknown): PgFault {
  const { code, message } = firstOf(error);
  if (/pg_hba\.conf/.test(message)) return "pg-hba";
  const [, fault = "other"] = code
    ? (BY_CODE.find(([pattern]) => pattern.test(code)) ?? [])
    : (BY_MESSAGE.find(([pattern]) => pattern.test(message)) ?? []);
  return fault;
}

const OUTAGES: { readonly [fault in PgFault]?: string } = {
  "disk-full": "The disk of PostgreSQL is full",
  "cut-off": "PostgreSQL cut a statement off",
};

/** Sorts what `pg` throws into retriable and fatal, with a sentence that names the setting to look at. */
export function toLoadError(error: unknown): EtlError {
  if (error instanceof EtlError) return error;
  const { message } = firstOf(error);
  const fault = pgFault(error);
  if (RETRIABLE.includes(fault)) {
    const what = OUTAGES[fault] ?? "PostgreSQL is not available";
    return new LoadError("retriable", `${what}: ${message}`, { cause: error });
  }
  const advice = ADVICE[fault];
  const sentence = `PostgreSQL refused: ${message}${advice ? `; ${advice}` : ""}.`;
  return new LoadError("fatal", sentence, { cause: error });
}

/**
 * Fewer rows than were sent: a trigger or a rule drops them, and nothing would ever say so.
 * @throws {LoadError} fatal
 */
export function assertKept(table: string, kept: number | null, sent: number): void {
  if (kept === sent) return;
  throw new LoadError(
    "fatal",
    `${table} kept ${kept} of ${sent} rows: a trigger, a rule or a policy on it drops rows. Remove it: nothing of this batch was committed.`,
  );
}

/** Node reports a host with several addresses as one error of many; `code` is "" where there is none. */
export function firstOf(error: unknown): { readonly code: string; readonly message: string } {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return { code: "", message: String(first) };
  return { code: "code" in first ? String(first.code) : "", message: first.message };
}
