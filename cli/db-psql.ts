import { spawn } from "node:child_process";
import { EtlError } from "etl-lib";
import { libpqEnvironment, TargetError } from "../connect/connection.js";
import { EnvironmentError } from "../connect/environment.js";
import { openTarget } from "./shared/target.js";

/** `npm run db:psql [-- psql's own arguments]`: psql on whichever target database is in force. */
async function main(): Promise<number> {
  const target = await openTarget({ applicationName: "psql", poolSize: 1 });
  const libpq = libpqEnvironment(target.connection);
  process.on("SIGINT", () => {}); // Ctrl-C belongs to psql, which cancels its query
  try {
    console.error(`Target: ${target.description}`);
    return await psql(process.argv.slice(2), { ...process.env, ...libpq.env });
  } finally {
    libpq.remove();
    await target.close();
  }
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
