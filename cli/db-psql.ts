import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EtlError } from "etl-lib";
import { EnvironmentError } from "../functions/etl/environment.js";
import type { Connection } from "./target/connection.js";
import { TargetError } from "./target/errors.js";
import { openTarget } from "./target/open-target.js";

/** `npm run db:psql [-- psql's own arguments]`: psql on whichever target database is in force. */
async function main(): Promise<number> {
  const target = await openTarget({ applicationName: "psql", poolSize: 1 });
  const scratch = mkdtempSync(join(tmpdir(), "db-psql-"));
  process.on("SIGINT", () => {}); // Ctrl-C belongs to psql, which cancels its query
  try {
    console.error(`Target: ${target.description}`);
    return await psql(process.argv.slice(2), {
      ...process.env,
      ...libpqEnvironment(target.connection, scratch),
    });
  } finally {
    rmSync(scratch, { recursive: true });
    await target.close();
  }
}

/** By environment, so that the password shows in no list of processes. */
function libpqEnvironment(connection: Connection, scratch: string): NodeJS.ProcessEnv {
  return {
    PGHOST: connection.host,
    PGPORT: `${connection.port}`,
    PGUSER: connection.user,
    PGPASSWORD: connection.password,
    PGDATABASE: connection.database,
    PGSSLMODE: connection.ssl,
    ...(connection.ssl === "verify-full" ? { PGSSLROOTCERT: rootCertificate(connection.ca, scratch) } : {}),
  };
}

function rootCertificate(ca: string | null, scratch: string): string {
  if (ca === null) return "system";
  const file = join(scratch, "ca.pem");
  writeFileSync(file, ca);
  return file;
}

function psql(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn("psql", args, { env, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => resolve(code ?? 1));
    child.once("error", (cause: NodeJS.ErrnoException) => {
      const message =
        cause.code === "ENOENT"
          ? "psql is not installed: apt-get install postgresql-client (Debian, Ubuntu), dnf install postgresql18 (Amazon Linux) or brew install libpq (macOS)."
          : `psql cannot be started: ${cause.message}.`;
      reject(new TargetError(message, { cause }));
    });
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  const expected = [TargetError, EnvironmentError, EtlError].some((kind) => error instanceof kind);
  console.error(expected ? (error as Error).message : error);
  process.exitCode = 1;
}
