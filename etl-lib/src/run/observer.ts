import type { EventCounts, RunError } from "../types.js";

/** A part of a run that takes time: a stage, or a batch around those that make it. */
export type ObservedPart = "plan" | "batch" | "extract" | "load" | "rollups" | "lake" | "prune" | "seal";

/** What a batch is made of. */
export interface ObservedBatch {
  readonly objects: number;
  readonly bytes: number;
}

/** How a part ended. */
export interface PartEnd {
  /** What it ended on; a batch that is tried again has its load end on one. */
  readonly error?: unknown;
  /** What a batch added. */
  readonly events?: Readonly<EventCounts>;
}

/** Is told what a run does while it does it, so that somebody can make traces of it. Must not throw. */
export interface RunObserver {
  /** @returns to be called when the part ends */
  began(part: ObservedPart, batch?: ObservedBatch): (end?: PartEnd) => void;
  /** An object could not be read and is left to a later run. */
  leftOut(error: RunError): void;
}

export const UNOBSERVED: RunObserver = { began: () => () => {}, leftOut: () => {} };
