import { resolve } from "node:path";
import type { Command } from "commander";
import { forgetSavedPlan, PLAN_FILE, readSavedPlan, type SavedStack, whyNot } from "../plan/saved-plan.js";
import { runHere } from "../plan/terraform.js";
import { CommandError, UsageError } from "../shared/failure.js";
import { assertStateBucket } from "./state-bucket.js";

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
  const stacks = given.some((word) => !word.startsWith("-")) ? given : ["*", ...given];
  // A stack alone is deployed on the outputs that those it reads from have in the state.
  const args = ["deploy", ...stacks, "--ignore-missing-stack-dependencies", "--output", options.output];
  process.exitCode = await runHere("cdktf", args, ".");
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
