import { resolve } from "node:path";
import type { Command } from "commander";
import { forgetSavedPlan, PLAN_FILE, readSavedPlan, type SavedStack, whyNot } from "../plan/saved-plan.js";
import { runHere } from "../plan/terraform.js";
import { CommandError, UsageError } from "../shared/failure.js";
import { assertStateBucket } from "./state-bucket.js";

/** In the order in which stacks/clickstream.ts makes them. */
const STACKS: readonly string[] = ["network", "endpoints", "warehouse", "scheduler"];

export const define = (command: Command): Command =>
  command
    .argument("[stacks...]", "some of network, endpoints, warehouse, scheduler (default: all)")
    .option("--plan", "apply what `npm run plan -- --save` saved, and nothing else")
    .option("--output <folder>", "where cdktf writes what it synthesizes", "cdktf.out")
    .allowUnknownOption()
    .addHelpText("after", "\nAny other option is handed to `cdktf deploy`, e.g. --auto-approve.")
    .action(deploy);

async function deploy(given: readonly string[], options: { plan?: true; output: string }): Promise<void> {
  await assertStateBucket(process.env);
  if (options.plan) return applySavedPlan(given, options.output);
  const cdktf = (...args: string[]) => runHere("cdktf", ["deploy", ...args, "--output", options.output], ".");
  const [named, passed] = [
    given.filter((word) => !word.startsWith("-")),
    given.filter((word) => word.startsWith("-")),
  ];
  if (named.length === 0) {
    process.exitCode = await cdktf("*", ...passed);
    return;
  }
  // On the outputs that the others have in the state. One by one: cdktf keeps no order when it ignores dependencies.
  for (const stack of inOrder(named)) {
    process.exitCode = await cdktf(stack, ...passed, "--ignore-missing-stack-dependencies");
    if (process.exitCode !== 0) return;
  }
}

/** As they depend on each other. @throws {UsageError} there is no such stack */
function inOrder(named: readonly string[]): string[] {
  const unknown = named.filter((name) => !STACKS.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`There is no stack ${unknown.join(", ")}: the stacks are ${STACKS.join(", ")}.`);
  return STACKS.filter((name) => named.includes(name));
}

/** Applies the stacks in order, as far as their plans hold. */
async function applySavedPlan(given: readonly string[], output: string): Promise<void> {
  if (given.length > 0) throw new UsageError("--plan applies the saved plan whole: name nothing beside it.");
  const stacks = await readSavedPlan(output);
  await forgetSavedPlan(output);
  const applied: SavedStack[] = [];
  for (const stack of stacks) {
    const refusal = whyNot(stack, applied);
    if (refusal !== null) throw new CommandError(`${refusal}: ${tail(applied)}, then plan again.`);
    if (stack.changes && (await apply(stack, output)) !== 0)
      throw new CommandError(`The apply of ${stack.name} failed: ${tail(applied)}. Plan again.`);
    console.log(stack.changes ? `${stack.name}: applied` : `${stack.name}: no changes`);
    applied.push(stack);
  }
}

function apply({ workingDirectory }: SavedStack, output: string): Promise<number> {
  return runHere("terraform", ["apply", "-input=false", PLAN_FILE], resolve(output, workingDirectory));
}

function tail(applied: readonly SavedStack[]): string {
  const done = applied.filter(({ changes }) => changes).map(({ name }) => name);
  return done.length === 0
    ? "nothing was applied"
    : `${done.join(", ")} ${done.length > 1 ? "were" : "was"} applied`;
}
