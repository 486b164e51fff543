/**
 * retriable: the world may be different in a moment (network, throttling, a restart).
 * fatal: a person has to change a setting, a permission or the schema.
 * changed: the object was replaced or removed since it was listed, or its time was up; the next run sees to it.
 * unfinished: the object takes longer than the run's time budget gives it.
 */
export type ErrorKind = "retriable" | "fatal" | "changed" | "unfinished";
export type Stage = "plan" | "extract" | "load" | "lake";

interface EtlErrorOptions {
  readonly cause?: unknown;
  /** `bucket/key` of the object at hand. */
  readonly object?: string;
}

/** Base of every error that etl-lib throws on purpose. */
export abstract class EtlError extends Error {
  abstract readonly stage: Stage;
  readonly object: string | null;

  constructor(
    readonly kind: ErrorKind,
    message: string,
    options: EtlErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.object = options.object ?? null;
  }
}

/** The window, prefix or source cannot be planned. */
export class PlanError extends EtlError {
  override readonly name = "PlanError";
  readonly stage = "plan";
}

/** Listing or reading the source failed. */
export class ExtractError extends EtlError {
  override readonly name = "ExtractError";
  readonly stage = "extract";
}

/** The warehouse refused, failed or has another shape. */
export class LoadError extends EtlError {
  override readonly name = "LoadError";
  readonly stage = "load";
}

/** Writing or reading the lake failed. */
export class LakeError extends EtlError {
  override readonly name = "LakeError";
  readonly stage = "lake";
}
