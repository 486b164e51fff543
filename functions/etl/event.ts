import { type LookbackOptions, PlanError, parseWindow, type RunTrigger, type Window } from "etl-lib";

/** What one invocation asks for, ready for `runEtl`. */
export interface RunRequest {
  readonly trigger: RunTrigger;
  readonly window: Window | null;
  readonly lookback?: LookbackOptions;
  readonly prefix?: string;
  readonly dryRun: boolean;
  readonly rollups?: boolean;
  readonly load?: boolean;
}

export interface RequestDefaults {
  readonly rawBucket: string;
  readonly lookback: LookbackOptions;
}

const KNOWN_KEYS = ["from", "to", "prefix", "dryRun", "rollups", "load"];
const EVENTS_PREFIX = "events/";

/**
 * The event contract:
 * - EventBridge's scheduled event: the look-back, trigger `schedule`.
 * - `{}`: the look-back by hand.
 * - `{"from": "2025-12-06T00:00Z", "to": "2025-12-07T00:00Z"}`: the UTC hours of [from, to), a backfill.
 * - `{"prefix": "events/2025/12/06/"}`: all below the prefix.
 * - any of the last three with `"dryRun": true`: plans and counts, writes nothing; with `"rollups": false`: leaves the
 *   rollups to a later run.
 * - `{"load": false}`: refreshes the rollups and nothing else.
 * - `{"erase": …}` is no run: see erase.ts.
 *
 * @throws {PlanError} the event is none of these
 */
export function parseEvent(event: unknown, defaults: RequestDefaults): RunRequest {
  const { lookback } = defaults;
  if (isScheduled(event)) return { trigger: "schedule", window: null, lookback, dryRun: false };
  const request = asObject(event);
  refuseUnknownKeys(request, defaults.rawBucket);
  const { from, to, prefix } = request;
  const manual = {
    trigger: "manual",
    window: null,
    dryRun: readSwitch(request, "dryRun", false),
    rollups: readSwitch(request, "rollups", true),
  } as const;
  if (!readSwitch(request, "load", true)) return { ...manual, load: false };
  if (prefix !== undefined) return { ...manual, prefix: readPrefix(request) };
  if (from === undefined && to === undefined) return { ...manual, lookback };
  if (typeof from !== "string" || typeof to !== "string") {
    throw refusal('"from" and "to" go together, both as text, e.g. "2025-12-06T00:00:00Z".');
  }
  return { ...manual, window: parseWindow(from, to) };
}

function isScheduled(event: unknown): boolean {
  return typeof event === "object" && event !== null && "source" in event && event.source === "aws.events";
}

function asObject(event: unknown): Record<string, unknown> {
  if (event === null || event === undefined) return {};
  if (typeof event === "object" && !Array.isArray(event)) return event as Record<string, unknown>;
  throw refusal(`The event has to be a JSON object, but is ${JSON.stringify(event)}.`);
}

function refuseUnknownKeys(request: Record<string, unknown>, rawBucket: string): void {
  if ("bucket" in request) {
    throw refusal(
      `"bucket" cannot be chosen: this function may read ${rawBucket} only (RAW_BUCKET), its role allows no other.`,
    );
  }
  const unknown = Object.keys(request).filter((key) => !KNOWN_KEYS.includes(key));
  if (unknown.length > 0) {
    throw refusal(`Unknown ${quoted(unknown)} in the event; known are ${quoted(KNOWN_KEYS)}.`);
  }
}

function readSwitch(request: Record<string, unknown>, key: string, fallback: boolean): boolean {
  const value = request[key] ?? fallback;
  if (typeof value === "boolean") return value;
  throw refusal(`"${key}" has to be true or false, but is ${JSON.stringify(value)}.`);
}

function readPrefix({ prefix, from, to }: Record<string, unknown>): string {
  if (from !== undefined || to !== undefined) {
    throw refusal('Give either "prefix" or "from" and "to", not both.');
  }
  if (typeof prefix === "string" && prefix.startsWith(EVENTS_PREFIX)) return prefix;
  throw refusal(`"prefix" has to begin with "${EVENTS_PREFIX}", but is ${JSON.stringify(prefix)}.`);
}

function refusal(message: string): PlanError {
  return new PlanError("fatal", message);
}

function quoted(keys: readonly string[]): string {
  return keys.map((key) => `"${key}"`).join(", ");
}
