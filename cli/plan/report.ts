import { type AttributeChange, attributeChanges, type References, referencesOf } from "./attributes.js";
import type { TerraformPlan, TerraformResourceChange } from "./terraform-plan.js";

export const ACTIONS = ["create", "update", "replace", "destroy"] as const;
export type Action = (typeof ACTIONS)[number];
export type Counts = Record<Action, number>;

/** Why a reviewer has to see a change in full, whatever its action. */
export type Concern =
  | "security group"
  | "route"
  | "IAM"
  | "endpoint policy"
  | "bucket policy"
  | "resource policy";

export interface ResourceChange {
  readonly address: string;
  readonly type: string;
  readonly action: Action;
  /** The attributes that force a replacement. */
  readonly because: readonly string[];
  readonly concern: Concern | null;
  readonly attributes: readonly AttributeChange[];
}

export interface StackReport {
  readonly stack: string;
  /** planned; waiting: a stack it reads from is not deployed yet; failed: Terraform's own error. */
  readonly status: "planned" | "waiting" | "failed";
  /** Why it is waiting or failed, in words; null when planned. */
  readonly message: string | null;
  readonly counts: Counts;
  readonly changes: readonly ResourceChange[];
  /** Names of the outputs that change. */
  readonly outputs: readonly string[];
}

/** All stacks, in the order in which they are deployed. */
export interface PlanReport {
  readonly counts: Counts;
  /** Something would be destroyed or replaced. */
  readonly destructive: boolean;
  readonly stacks: readonly StackReport[];
}

export function reportPlans(stacks: readonly StackReport[]): PlanReport {
  const counts = countActions(stacks.flatMap(({ changes }) => changes));
  return { counts, destructive: counts.replace + counts.destroy > 0, stacks };
}

export function reportStack(stack: string, plan: TerraformPlan): StackReport {
  const written = new Map(
    (plan.configuration?.root_module?.resources ?? []).map((resource) => [
      resource.address,
      resource.expressions,
    ]),
  );
  const changes = (plan.resource_changes ?? []).flatMap((resource) =>
    reportChange(resource, referencesOf(written.get(resource.address))),
  );
  const outputs = Object.entries(plan.output_changes ?? {})
    .filter(([, { actions }]) => actions[0] !== "no-op")
    .map(([name]) => name);
  return { stack, status: "planned", message: null, counts: countActions(changes), changes, outputs };
}

/** A stack without a plan. */
export function reportUnplanned(stack: string, status: "waiting" | "failed", message: string): StackReport {
  return { stack, status, message, counts: countActions([]), changes: [], outputs: [] };
}

function reportChange(resource: TerraformResourceChange, sources: References): ResourceChange[] {
  const action = actionOf(resource);
  if (action === null) return [];
  const { address, type, change } = resource;
  const because = (change.replace_paths ?? []).map((path) => path.join("."));
  return [
    {
      address,
      type,
      action,
      because,
      concern: concernOf(type),
      attributes: attributeChanges(resource, sources),
    },
  ];
}

function actionOf({ mode, change: { actions } }: TerraformResourceChange): Action | null {
  if (mode !== "managed") return null;
  if (actions.includes("delete")) return actions.includes("create") ? "replace" : "destroy";
  return actions.includes("create") ? "create" : actions.includes("update") ? "update" : null;
}

const CONCERNS: readonly (readonly [RegExp, Concern])[] = [
  [/^aws_(default_)?security_group|^aws_vpc_security_group/, "security group"],
  [/^aws_(default_)?route|^aws_main_route|_route_table_association$|_gateway$/, "route"],
  [/^aws_iam_/, "IAM"],
  [/^aws_vpc_endpoint/, "endpoint policy"],
  [/^aws_s3_bucket_(policy|public_access_block|acl)$/, "bucket policy"],
  [/_policy$|^aws_lambda_permission$|^aws_kms_key$/, "resource policy"],
];

function concernOf(type: string): Concern | null {
  return CONCERNS.find(([pattern]) => pattern.test(type))?.[1] ?? null;
}

/** All actions together. */
export function totalOf(counts: Counts): number {
  return ACTIONS.reduce((sum, action) => sum + counts[action], 0);
}

function countActions(changes: readonly ResourceChange[]): Counts {
  const counts: Counts = { create: 0, update: 0, replace: 0, destroy: 0 };
  for (const { action } of changes) counts[action] += 1;
  return counts;
}
