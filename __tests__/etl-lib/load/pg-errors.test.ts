import { expect } from "chai";
import { ExtractError, LoadError } from "../../../etl-lib/src/errors.js";
import { pgFault, toLoadError } from "../../../etl-lib/src/load/pg-errors.js";

const pgError = (code: string | undefined, message = `${code} happened`) =>
  Object.assign(new Error(message), code !== undefined && { code });

/** SQLSTATE or Node's error code, and what the sentence must advise. */
const RETRIABLE: readonly [code: string | undefined, what: string][] = [
  ["08000", "connection exception"],
  ["08003", "connection does not exist"],
  ["08006", "connection failure"],
  ["08P01", "protocol violation"],
  ["40001", "serialization failure"],
  ["40P01", "deadlock detected"],
  ["53100", "disk full"],
  ["53200", "out of memory"],
  ["53300", "too many connections"],
  ["57P01", "terminating connection due to administrator command"],
  ["57P02", "crash shutdown"],
  ["57P03", "the database system is starting up"],
  ["55P03", "lock not available"],
  ["57014", "canceling statement due to statement timeout"],
  ["ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:5432"],
  ["ECONNRESET", "read ECONNRESET"],
  ["EPIPE", "write EPIPE"],
  ["ETIMEDOUT", "connect ETIMEDOUT"],
  ["EHOSTUNREACH", "connect EHOSTUNREACH"],
  ["EAI_AGAIN", "getaddrinfo EAI_AGAIN"],
  [undefined, "Connection terminated unexpectedly"],
  [undefined, "Connection terminated"],
  [undefined, "Connection terminated due to connection timeout"],
  [undefined, "timeout expired"],
  [undefined, "timeout exceeded when trying to connect"],
  [undefined, "Client has encountered a connection error and is not queryable"],
];

const FATAL: readonly [code: string | undefined, what: string, advice: string][] = [
  ["28P01", "password authentication failed", "DWH_PASSWORD"],
  ["28000", "no pg_hba.conf entry", "DWH_USER"],
  ["3D000", 'database "x" does not exist', "DWH_DATABASE"],
  ["ENOTFOUND", "getaddrinfo ENOTFOUND nowhere", "DWH_HOST"],
  ["42501", "permission denied for table clickstream_events", "etl_writer"],
  ["42P01", 'relation "etl.objects" does not exist', "migrate"],
  ["42703", 'column "x" does not exist', "migrate"],
  ["3F000", "schema does not exist", "migrate"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate", "DWH_SSL"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate", "DWH_SSL"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unable to verify", "DWH_SSL_CA_PARAMETER"],
  ["CERT_HAS_EXPIRED", "certificate has expired", "DWH_SSL"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "Hostname/IP does not match", "DWH_SSL"],
  [undefined, "The server does not support SSL connections", "DWH_SSL=disable"],
  ["22P02", "invalid input syntax for type uuid", "invalid input syntax"],
  ["23505", "duplicate key", "duplicate key"],
  [undefined, "something else", "something else"],
];

describe("toLoadError", () => {
  for (const [code, message] of RETRIABLE)
    it(`${code ?? "no code"}, ${message}: retriable`, () => {
      const cause = pgError(code, message);
      const error = toLoadError(cause);
      expect(error).to.be.instanceOf(LoadError);
      expect(error).to.include({ kind: "retriable", stage: "load", object: null, cause });
      expect(error.message).to.include(message);
    });

  for (const [code, message, advice] of FATAL)
    it(`${code ?? "no code"}, ${message}: fatal, and says what to look at`, () => {
      const error = toLoadError(pgError(code, message));
      expect(error).to.be.instanceOf(LoadError).and.to.include({ kind: "fatal", stage: "load" });
      expect(error.message).to.include(message).and.to.include(advice).and.to.match(/\.$/);
    });

  it("a host of several addresses fails as one error of many", () => {
    const refused = new AggregateError([
      pgError("ECONNREFUSED", "connect ECONNREFUSED ::1:5432"),
      pgError("ECONNREFUSED"),
    ]);
    expect(toLoadError(refused)).to.include({ kind: "retriable" });
    expect(toLoadError(refused).message).to.include("::1:5432");
  });

  it("leaves an error of this library as it is", () => {
    const error = new ExtractError("changed", "gone");
    expect(toLoadError(error)).to.equal(error);
  });
});

describe("pgFault", () => {
  const faults: readonly [code: string | undefined, message: string, fault: string][] = [
    ["28P01", "password authentication failed", "login"],
    ["28000", "no pg_hba.conf entry for host", "pg-hba"],
    ["53100", "could not extend file: No space left on device", "disk-full"],
    ["57P01", "terminating connection due to administrator command", "lost"],
    ["HOSTNAME_MISMATCH", "certificate", "certificate"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "does not match", "certificate"],
    ["ERR_TLS_HANDSHAKE_TIMEOUT", "TLS handshake timeout", "unreachable"],
    ["ERR_TLS_PROTOCOL_VERSION_CONFLICT", "versions", "tls"],
    [undefined, "The server does not support SSL connections", "no-tls"],
    [undefined, "timeout exceeded when trying to connect", "unreachable"],
  ];
  for (const [code, message, fault] of faults)
    it(`${code ?? message}: ${fault}`, () => {
      expect(pgFault(pgError(code, message))).to.equal(fault);
    });

  it("a full disk is said as such", () => {
    expect(toLoadError(pgError("53100")).message).to.match(/^The disk of PostgreSQL is full/);
  });
});
