import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { CommandError } from "../shared/failure.js";
import { type PlanReport, reportPlans, reportStack, reportUnplanned, type StackReport } from "./report.js";

export interface PlanOptions {
  /** Where cdktf writes what it synthesizes; Terraform's local state lies relative to it. */
  readonly output: string;
  /** Told before each step, e.g. "network: plan". */
  readonly onStep?: (step: string) => void;
}

/** Part of cdktf's manifest.json. */
interface Manifest {
  readonly stacks: Readonly<Record<string, ManifestStack>>;
}

interface ManifestStack {
  readonly name: string;
  /** Relative to the output folder. */
  readonly workingDirectory: string;
  readonly dependencies: readonly string[];
}

/** Synthesizes the app in the working directory and plans its stacks. Changes nothing. @throws {CommandError} */
export async function planStacks({ output, onStep }: PlanOptions): Promise<PlanReport> {
  onStep?.("synth");
  await mkdir(output, { recursive: true });
  const synth = await run("cdktf", ["synth", "--output", output], ".");
  if (synth.code !== 0) throw new CommandError(`cdktf synth failed:\n${withoutSpinner(synth.all)}`);
  const reports: StackReport[] = [];
  for (const stack of await readStacks(output)) {
    onStep?.(`${stack.name}: plan`);
    reports.push(await planStack(stack, resolve(output, stack.workingDirectory)));
  }
  return reportPlans(reports);
}

async function readStacks(output: string): Promise<ManifestStack[]> {
  const manifest = JSON.parse(await readFile(join(output, "manifest.json"), "utf8")) as Manifest;
  return inDependencyOrder(Object.values(manifest.stacks));
}

/** Each stack after those it reads from; otherwise by name, so that two reports compare. */
export function inDependencyOrder<T extends Pick<ManifestStack, "name" | "dependencies">>(
  stacks: readonly T[],
): T[] {
  const waiting = [...stacks].sort((one, other) => one.name.localeCompare(other.name));
  const ordered: T[] = [];
  while (waiting.length > 0) {
    const isReady = ({ dependencies }: T) =>
      dependencies.every((name) => ordered.some((o) => o.name === name));
    const index = waiting.findIndex(isReady);
    if (index < 0)
      throw new CommandError(`The stacks ${waiting.map((s) => s.name).join(", ")} form a cycle.`);
    ordered.push(...waiting.splice(index, 1));
  }
  return ordered;
}

async function planStack(stack: ManifestStack, folder: string): Promise<StackReport> {
  const init = await run("terraform", ["init", "-input=false", "-no-color"], folder);
  if (init.code !== 0) return reportUnplanned(stack.name, "failed", errorText(init.all));
  // A plan writes no state: without the lock, a reviewer's credentials need not be able to write either.
  const plan = await run(
    "terraform",
    ["plan", "-input=false", "-no-color", "-lock=false", "-out=plan"],
    folder,
  );
  if (plan.code !== 0) return explainFailure(stack, plan.all);
  const shown = await run("terraform", ["show", "-json", "plan"], folder);
  if (shown.code !== 0) return reportUnplanned(stack.name, "failed", errorText(shown.all));
  return reportStack(stack.name, JSON.parse(shown.stdout));
}

const NO_STATE =
  /No stored state was found|Unable to find remote state|Unsupported attribute[\s\S]*remote_state/;

/** A stack that reads from one that is not deployed, or not as new, has no plan yet; that is no error. */
export function explainFailure(
  stack: Pick<ManifestStack, "name" | "dependencies">,
  output: string,
): StackReport {
  const { name, dependencies } = stack;
  if (dependencies.length === 0 || !NO_STATE.test(output)) {
    return reportUnplanned(name, "failed", errorText(output));
  }
  const upstream = dependencies.join(", ");
  return reportUnplanned(
    name,
    "waiting",
    `it reads outputs of ${upstream} that are not in the state yet: deploy ${upstream} first, then plan again.`,
  );
}

/** Terraform's error without its frame, on one line. */
function errorText(output: string): string {
  const start = Math.max(output.indexOf("Error:"), 0);
  const lines = output.slice(start).split("\n");
  return lines
    .map((line) => line.replace(/^[│╷╵\s]+/, "").trim())
    .filter((line) => line !== "")
    .join(" ");
}

/** cdktf draws its progress in Braille, a line for each turn of the spinner. */
function withoutSpinner(output: string): string {
  const lines = output.split("\n");
  return lines.filter((line) => line.trim() !== "" && !/^[\u2800-\u28ff]/.test(line)).join("\n");
}

interface CommandOutput {
  readonly code: number;
  readonly stdout: string;
  readonly all: string;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<CommandOutput> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close").catch((cause: unknown) => {
    throw new CommandError(`\`${command}\` cannot be started: is it installed and on the PATH?`, {
      cause,
    });
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code: Number(code), stdout, all: stripVTControlCharacters(stdout + stderr) };
}
