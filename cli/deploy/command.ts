import { resolve } from "node:path";
import type { Command } from "commander";
import { forgetSavedPlan, PLAN_FILE, readSavedPlan, type SavedStack, whyNot } from "../plan/saved-plan.js";
import { runHere, synthesizeNamed } from "../plan/terraform.js";
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
  const isOption = (word: string) => word.startsWith("-");
  const names = given.filter((word) => !isOption(word));
  const args = [...given.filter(isOption), "--output", options.output];
  process.exitCode =
    names.length === 0
      ? await runHere("cdktf", ["deploy", "*", ...args], ".")
      : await deployNamed(names, args, options);
}

/**
 * A stack alone is deployed on the outputs that those it reads from have in the state. With that option cdktf knows no
 * order any more and deploys all it is given at once, so it is given one at a time.
 */
async function deployNamed(
  names: readonly string[],
  args: readonly string[],
  { output }: { output: string },
): Promise<number> {
  for (const { name } of await synthesizeNamed(names, output)) {
    const alone = ["deploy", name, "--ignore-missing-stack-dependencies", "--skip-synth", ...args];
    const code = await runHere("cdktf", alone, ".");
    if (code !== 0) return code;
  }
  return 0;
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
