import type { Deployed } from "../deployed/deployed.js";
import type { Condition } from "../deployed/host.js";

/** What a check looks at, and at what time. */
export interface Subject {
  readonly deployed: Deployed;
  readonly now: Date;
}

/** One promise of the deployed environment, seen from outside. Checks know nothing of each other. */
export interface Check {
  readonly name: string;
  /** @throws anything: a check that cannot be made is reported as such, and hides no other */
  inspect(subject: Subject): Promise<Condition>;
}

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export const holds = (detail: string): Condition => ({ holds: true, detail });

export const fails = (detail: string, fix: string): Condition => ({ holds: false, detail, fix });

/** For a request whose thing may not be there: then the answer is null. @throws any other error */
export function absent(error: Error): null {
  if (error.name === "ResourceNotFoundException" || error.name === "ParameterNotFound") return null;
  throw error;
}
