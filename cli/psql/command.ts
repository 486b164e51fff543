import { spawn } from "node:child_process";
import type { Command } from "commander";
import { libpqEnvironment } from "../../connect/connection.js";
import { CommandError } from "../shared/failure.js";
import { openTarget } from "../shared/target.js";

export const define = (command: Command): Command =>
  command.argument("[args...]", "psql's own").allowUnknownOption().passThroughOptions().action(openPsql);

async function openPsql(args: string[]): Promise<void> {
  const target = await openTarget({ applicationName: "psql", poolSize: 1 });
  const libpq = libpqEnvironment(target.connection);
  process.on("SIGINT", () => {}); // Ctrl-C belongs to psql, which cancels its query
  try {
    console.error(`Target: ${target.description}`);
    process.exitCode = await psql(args, { ...process.env, ...libpq.env });
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
      reject(new CommandError(message, { cause }));
    });
  });
}
