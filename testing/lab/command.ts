import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Lab } from "./lab.js";

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What the machine of the developer or of the CI must not decide. */
const FOREIGN = /^(DWH_|AWS_|RAW_BUCKET|LAKE_BUCKET|ETL_|OTEL_)/;

/** The settings with which the command meets the lab's bucket and database. */
export const labEnvironment = ({ s3, db: { config } }: Lab): Record<string, string> => ({
  ...s3.environment,
  RAW_BUCKET: s3.bucket,
  DWH_HOST: config.host,
  DWH_PORT: `${config.port}`,
  DWH_USER: config.user,
  DWH_PASSWORD: config.password,
  DWH_DATABASE: config.database,
  DWH_SSL: "disable",
});

/** Starts `etl:local` as npm does, as one process that a signal reaches. */
export function startCommand(
  args: readonly string[],
  env: Record<string, string>,
  stdin: "ignore" | "pipe" = "ignore",
): { child: ChildProcess; outcome: Promise<Outcome> } {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name)));
  const child = spawn(process.execPath, ["bin/clickstream.js", ...args], {
    cwd: ROOT,
    env: { ...own, AWS_EC2_METADATA_DISABLED: "true", ...env },
    stdio: [stdin, "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (data) => {
    stdout += data;
  });
  child.stderr?.on("data", (data) => {
    stderr += data;
  });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, outcome };
}

export const runCommand = (args: readonly string[], env: Record<string, string>): Promise<Outcome> =>
  startCommand(args, env).outcome;
