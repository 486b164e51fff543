import { sentenceOf } from "../shared/failure.js";
import { oneLine } from "../shared/format.js";
import type { Check, Subject } from "./check.js";
import { DATA_CHECKS } from "./data-checks.js";
import { FUNCTION_CHECKS } from "./function-checks.js";
import { HOST_CHECKS } from "./host-checks.js";
import { LAKE_CHECKS } from "./lake-checks.js";
import { SCHEDULE_CHECKS } from "./schedule-checks.js";

/** What one check found. `unknown`: it could not be made, e.g. for want of a permission. */
export interface Finding {
  readonly check: string;
  readonly status: "holds" | "fails" | "unknown";
  /** One sentence or less. */
  readonly detail: string;
  /** What to do; null when it holds. */
  readonly fix: string | null;
}

const LONGEST_REASON = 300;

export const CHECKS: readonly Check[] = [
  ...HOST_CHECKS,
  ...SCHEDULE_CHECKS,
  ...FUNCTION_CHECKS,
  ...DATA_CHECKS,
  ...LAKE_CHECKS,
];

/** Makes all checks at once. Never rejects for a check's sake. */
export function examine(subject: Subject): Promise<Finding[]> {
  return Promise.all(CHECKS.map((check) => makeFinding(check, subject)));
}

async function makeFinding({ name, inspect }: Check, subject: Subject): Promise<Finding> {
  try {
    const condition = await inspect(subject);
    return condition.holds
      ? { check: name, status: "holds", detail: condition.detail, fix: null }
      : { check: name, status: "fails", detail: condition.detail, fix: condition.fix };
  } catch (error) {
    const detail = oneLine(sentenceOf(error), LONGEST_REASON);
    return { check: name, status: "unknown", detail, fix: "fix this, then run doctor again" };
  }
}
