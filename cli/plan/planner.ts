import { resolve } from "node:path";
import { type PlanReport, reportPlans, reportStack, reportUnplanned, type StackReport } from "./report.js";
import { forgetSavedPlan, PLAN_FILE, savePlan } from "./saved-plan.js";
import { type ManifestStack, run, synthesize } from "./terraform.js";

export interface PlanOptions {
  /** Where cdktf writes what it synthesizes; Terraform's local state lies relative to it. */
  readonly output: string;
  /** Keep the plan to be applied as it is. @default false */
  readonly save?: boolean;
  /** Told before each step, e.g. "network: plan". */
  readonly onStep?: (step: string) => void;
}

/** Synthesizes the app in the working directory and plans its stacks. Changes nothing. @throws {CommandError} */
export async function planStacks({ output, save = false, onStep }: PlanOptions): Promise<PlanReport> {
  onStep?.("synth");
  await forgetSavedPlan(output);
  const stacks = await synthesize(output);
  const reports: StackReport[] = [];
  for (const stack of stacks) {
    onStep?.(`${stack.name}: plan`);
    reports.push(await planStack(stack, resolve(output, stack.workingDirectory)));
  }
  const report = reportPlans(reports);
  if (save) await savePlan(output, stacks, report);
  return report;
}

async function planStack(stack: ManifestStack, folder: string): Promise<StackReport> {
  const init = await run("terraform", ["init", "-input=false", "-no-color"], folder);
  if (init.code !== 0) return reportUnplanned(stack.name, "failed", errorText(init.all));
  // A plan writes no state: without the lock, a reviewer's credentials need not be able to write either.
  const plan = await run(
    "terraform",
    ["plan", "-input=false", "-no-color", "-lock=false", `-out=${PLAN_FILE}`],
    folder,
  );
  if (plan.code !== 0) return explainFailure(stack, plan.all);
  const shown = await run("terraform", ["show", "-json", PLAN_FILE], folder);
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
