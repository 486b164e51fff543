import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { CommandError, UsageError } from "../shared/failure.js";

/** Part of cdktf's manifest.json. */
interface Manifest {
  readonly stacks: Readonly<Record<string, ManifestStack>>;
}

export interface ManifestStack {
  readonly name: string;
  /** Relative to the output folder. */
  readonly workingDirectory: string;
  readonly dependencies: readonly string[];
}

/**
 * Synthesizes the app in the working directory.
 *
 * @returns its stacks, each after those it reads from
 * @throws {CommandError} the synth failed
 */
export async function synthesize(output: string): Promise<ManifestStack[]> {
  await mkdir(output, { recursive: true });
  const synth = await run("cdktf", ["synth", "--output", output], ".");
  if (synth.code !== 0) throw new CommandError(`cdktf synth failed:\n${withoutSpinner(synth.all)}`);
  const manifest = JSON.parse(await readFile(join(output, "manifest.json"), "utf8")) as Manifest;
  return inDependencyOrder(Object.values(manifest.stacks));
}

/**
 * Synthesizes, and picks the stacks that are named, each after those it reads from; all of them when none is named.
 *
 * @throws {UsageError} a name is no stack's
 */
export async function synthesizeNamed(names: readonly string[], output: string): Promise<ManifestStack[]> {
  const stacks = await synthesize(output);
  const unknown = names.filter((name) => !stacks.some((stack) => stack.name === name));
  if (unknown.length > 0)
    throw new UsageError(
      `There is no stack ${unknown.join(", ")}: the stacks are ${stacks.map(({ name }) => name).join(", ")}.`,
    );
  return stacks.filter(({ name }) => names.length === 0 || names.includes(name));
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

/** cdktf draws its progress in Braille, a line for each turn of the spinner. */
function withoutSpinner(output: string): string {
  const lines = output.split("\n");
  return lines.filter((line) => line.trim() !== "" && !/^[\u2800-\u28ff]/.test(line)).join("\n");
}

export interface CommandOutput {
  readonly code: number;
  readonly stdout: string;
  readonly all: string;
}

/** Runs a program to its end and keeps what it says. @throws {CommandError} it cannot be started */
export async function run(command: string, args: readonly string[], cwd: string): Promise<CommandOutput> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exitCode(command, once(child, "close")),
  ]);
  return { code, stdout, all: stripVTControlCharacters(stdout + stderr) };
}

/** Runs a program in this terminal. @returns its exit code @throws {CommandError} it cannot be started */
export async function runHere(command: string, args: readonly string[], cwd: string): Promise<number> {
  return exitCode(command, once(spawn(command, args, { cwd, stdio: "inherit" }), "close"));
}

async function exitCode(command: string, closed: Promise<unknown[]>): Promise<number> {
  const [code] = await closed.catch((cause: unknown) => {
    throw new CommandError(`\`${command}\` cannot be started: is it installed and on the PATH?`, { cause });
  });
  return Number(code ?? 1);
}
