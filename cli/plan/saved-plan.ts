import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../shared/failure.js";
import { type PlanReport, type StackReport, totalOf } from "./report.js";
import type { ManifestStack } from "./terraform.js";

/** File name of Terraform's own plan in a stack's folder. */
export const PLAN_FILE = "plan";
const INDEX = "saved-plan.json";

/** One stack of a plan that was saved to be applied as it is. */
export interface SavedStack extends ManifestStack {
  readonly status: StackReport["status"];
  /** Something would change, if only an output. */
  readonly changes: boolean;
  /** Outputs change, so that a plan of a stack which reads them does not hold once this one is applied. */
  readonly outputsChange: boolean;
  /** SHA-256 of the plan file; null without a plan. */
  readonly sha256: string | null;
}

/** Notes beside the plan files what they are, for `deploy --plan`. */
export async function savePlan(
  output: string,
  stacks: readonly ManifestStack[],
  report: PlanReport,
): Promise<void> {
  const saved: SavedStack[] = [];
  for (const [index, { status, counts, outputs }] of report.stacks.entries()) {
    const stack = stacks[index] as ManifestStack;
    const outputsChange = outputs.length > 0;
    const changes = totalOf(counts) > 0 || outputsChange;
    const sha256 = status === "planned" ? await hashOf(output, stack) : null;
    saved.push({ ...stack, status, changes, outputsChange, sha256 });
  }
  await writeFile(join(output, INDEX), `${JSON.stringify(saved, null, 2)}\n`);
}

/** @throws {CommandError} no plan was saved, or a plan file is not the saved one */
export async function readSavedPlan(output: string): Promise<SavedStack[]> {
  const text = await readFile(join(output, INDEX), "utf8").catch((cause: unknown) => {
    throw new CommandError(`There is no saved plan in ${output}: npm run plan -- --save makes one.`, {
      cause,
    });
  });
  const stacks = JSON.parse(text) as SavedStack[];
  for (const stack of stacks)
    if (stack.sha256 !== null && (await hashOf(output, stack)) !== stack.sha256)
      throw new CommandError(`The plan of ${stack.name} is not the one that was saved: plan again.`);
  return stacks;
}

/** A plan is applied once; one that was not saved is not applied. */
export async function forgetSavedPlan(output: string): Promise<void> {
  await rm(join(output, INDEX), { force: true });
}

/** Why a stack's saved plan cannot be applied after `applied` were, or null when it can. */
export function whyNot(stack: SavedStack, applied: readonly SavedStack[]): string | null {
  if (stack.status !== "planned") return `${stack.name} could not be planned`;
  const changed = applied.filter(
    ({ name, outputsChange }) => outputsChange && stack.dependencies.includes(name),
  );
  if (changed.length === 0) return null;
  const names = changed.map(({ name }) => name).join(" and ");
  return `${stack.name} was planned before the outputs of ${names} changed, which it reads`;
}

async function hashOf(output: string, { workingDirectory }: ManifestStack): Promise<string | null> {
  const plan = await readFile(join(output, workingDirectory, PLAN_FILE)).catch(() => null);
  return plan && createHash("sha256").update(plan).digest("hex");
}
