import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import type { PlanReport } from "../../cli/plan/report.js";
import {
  type CommandResult,
  REPOSITORY,
  run,
  terraformEnvironment,
  writeCliConfig,
} from "../terraform/terraform.js";
import { startMoto } from "./moto.js";
import { findPrerequisites } from "./prerequisites.js";
import { type AwsStandIn, startAwsStandIn } from "./stand-in.js";

/** Configuration keys as cdktf context. */
export type Settings = Readonly<Record<string, unknown>>;

/** An empty AWS account, and the project's own commands pointed at it. State and synthesized JSON are temporary. */
export interface AwsEmulator {
  readonly standIn: AwsStandIn;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Runs `npm run <command> -- --auto-approve`. */
  cdktf(command: "deploy" | "destroy", settings: Settings): Promise<CommandResult>;
  /** Runs another of the project's commands. */
  command(settings: Settings, ...args: string[]): Promise<CommandResult>;
  /** Runs `npm run plan -- --json`. */
  plan(settings: Settings): Promise<{ code: number; report: PlanReport }>;
  /** Where cdktf writes what it synthesizes; the states of the stacks lie beside it. */
  readonly output: string;
  /** The environment in which the project's commands see this account, configured by `settings`. */
  environment(settings: Settings): NodeJS.ProcessEnv;
  /** Runs `terraform plan -destroy` on a stack as it was synthesized last. */
  planDestroy(stack: string): Promise<CommandResult>;
  /** Addresses of all managed resources in the state of each stack. */
  resources(): Record<string, string[]>;
  /** Everything that was written to disk: state and synthesized JSON. */
  writtenText(): string;
  stop(): Promise<void>;
}

/**
 * For a `before` hook: skips the suite, or with REQUIRE_AWS_TESTS=1 fails it, where something is missing.
 * @param options.executesMachines executions of state machines really run
 */
export async function startEmulator(
  context: Context,
  { executesMachines = false } = {},
): Promise<AwsEmulator> {
  const prerequisites = findPrerequisites();
  if ("missing" in prerequisites) {
    const message = prerequisites.missing.join("\n");
    if (process.env.REQUIRE_AWS_TESTS === "1") throw new Error(message);
    console.log(`    Skipped. ${message}`);
    context.skip();
  }
  return emulate(prerequisites.found.providerMirror, executesMachines);
}

async function emulate(mirror: string, executesMachines: boolean): Promise<AwsEmulator> {
  const folder = mkdtempSync(join(tmpdir(), "aws-emulator-"));
  const standIn = await startAwsStandIn(executesMachines);
  const moto = await startMoto(executesMachines ? new URL(standIn.url) : null);
  standIn.passOnTo(moto.url);
  const cliConfig = writeCliConfig(folder, mirror);
  const env = terraformEnvironment({ endpoint: standIn.url, cliConfig, home: folder });
  const output = join(folder, "cdktf.out");
  const environment = (settings: Settings) => ({
    ...env,
    CDKTF_CONTEXT_JSON: JSON.stringify({ stateBucket: null, ...settings }),
  });
  const runWith = (settings: Settings, command: string, args: readonly string[]) =>
    run(command, [...args, "--output", output], { cwd: REPOSITORY, env: environment(settings) });
  return {
    standIn,
    region: "ap-southeast-1",
    credentials: { accessKeyId: "emulator", secretAccessKey: "emulator" },
    cdktf: (command, settings) =>
      runWith(settings, process.execPath, [
        "bin/clickstream.js",
        command,
        "--auto-approve",
        "--skip-provider-lock",
      ]),
    command: (settings, ...args) => runWith(settings, process.execPath, ["bin/clickstream.js", ...args]),
    plan: async (settings) => {
      const {
        code,
        stdout,
        output: text,
      } = await runWith(settings, process.execPath, ["bin/clickstream.js", "plan", "--json"]);
      if (stdout === "") throw new Error(text);
      return { code, report: JSON.parse(stdout) };
    },
    output,
    environment,
    planDestroy: (stack) =>
      run("terraform", ["plan", "-destroy", "-input=false", "-no-color", "-lock=false"], {
        cwd: join(folder, "cdktf.out/stacks", stack),
        env,
      }),
    resources: () => readResources(folder),
    writtenText: () => readWritten(folder),
    stop: async () => {
      await standIn.stop();
      await moto.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface StateResource {
  readonly mode: string;
  readonly type: string;
  readonly name: string;
}

const STATE_FILE = /^terraform\.[^.]+\.([^.]+)\.tfstate$/;

function readResources(folder: string): Record<string, string[]> {
  const stacks = readdirSync(folder).flatMap((name) => {
    const stack = STATE_FILE.exec(name)?.[1];
    if (stack === undefined) return [];
    const state: { resources: StateResource[] } = JSON.parse(readFileSync(join(folder, name), "utf8"));
    const managed = state.resources.filter(({ mode }) => mode === "managed");
    return [[stack, managed.map(({ type, name }) => `${type}.${name}`).sort()] as const];
  });
  return Object.fromEntries(stacks);
}

function readWritten(folder: string): string {
  const states = readdirSync(folder).filter((name) => name.includes(".tfstate"));
  const stacks = join(folder, "cdktf.out/stacks");
  const json = readdirSync(stacks).map((stack) => join(stacks, stack, "cdk.tf.json"));
  const files = [...states.map((name) => join(folder, name)), ...json.filter((path) => existsSync(path))];
  return files.map((path) => readFileSync(path, "utf8")).join("\n");
}
