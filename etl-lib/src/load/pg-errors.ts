import { EtlError, LoadError } from "../errors.js";

interface PgError extends Error {
  readonly code?: string;
}

/** Connection lost or refused, idle too long in a transaction, serialization, deadlock, out of resources, shutting down. */
const RETRIABLE_SQLSTATE = /^(08|25P0[34]|40001|40P01|53|57P0|55P03)/;
const RETRIABLE_NETWORK = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/;
const RETRIABLE_MESSAGE =
  /Connection terminated|connection timeout|timeout expired|timeout exceeded|Client has encountered a connection/i;
const TLS = /^(ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_)/;

const FATAL: readonly [pattern: RegExp, advice: string][] = [
  [/^28/, "check DWH_USER and DWH_PASSWORD (or the parameter that DWH_PASSWORD_PARAMETER names)"],
  [/^3D000/, "check DWH_DATABASE"],
  [/^ENOTFOUND/, "check DWH_HOST"],
  [/^42501/, "the role in DWH_USER lacks a grant: apply the migrations as the owner, then use etl_writer"],
  [
    /^(42P01|42703|3F000)/,
    "the schema is not the one this version needs: run `npm run etl:local -- migrate`",
  ],
  [/^42P07/, "rename or move the table that bears the name: the migrations make it themselves"],
  [TLS, "check DWH_SSL and the certificate that DWH_SSL_CA_PARAMETER names"],
];

/** Sorts what `pg` throws into retriable and fatal, with a sentence that names the setting to look at. */
export function toLoadError(error: unknown): EtlError {
  if (error instanceof EtlError) return error;
  const { code = "", message } = firstOf(error);
  if (
    RETRIABLE_SQLSTATE.test(code) ||
    RETRIABLE_NETWORK.test(code) ||
    (!code && RETRIABLE_MESSAGE.test(message))
  )
    return new LoadError("retriable", `PostgreSQL is not to be had at this moment: ${message}`, {
      cause: error,
    });
  const advice = /does not support SSL/i.test(message)
    ? "set DWH_SSL=disable for a server without TLS"
    : FATAL.find(([pattern]) => pattern.test(code))?.[1];
  const sentence = `PostgreSQL refused: ${message}${advice ? `; ${advice}` : ""}.`;
  return new LoadError("fatal", sentence, { cause: error });
}

/** Node reports a host with several addresses as one error of many. */
const firstOf = (error: unknown): PgError =>
  error instanceof AggregateError ? (error.errors[0] as PgError) : (error as PgError);
