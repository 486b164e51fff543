import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { lookbackWindow, parseWindow, type Source, type Window } from "etl-lib";
import { type Env, readLookbackHours } from "../../connect/environment.js";
import { BUNDLED } from "../sample/bundled.js";
import { storyOf } from "../sample/story.js";
import { parseDuration } from "../shared/duration.js";
import { UsageError } from "../shared/failure.js";
import { environment, PROJECT_ROOT } from "../shared/project.js";
import { datedByKey, first, localSource } from "./local-source.js";

const SAMPLES = join(PROJECT_ROOT, "samples");

/** The options that say which objects are meant, as every sub-command takes them. */
export interface SourceOptions {
  readonly source?: string;
  readonly from?: string;
  readonly to?: string;
  readonly last?: string;
  readonly concurrency?: number;
  readonly limit?: number;
}

/** What to read: the source and the part of it. */
export interface Selection {
  readonly source: Source;
  readonly window: Window | null;
  readonly prefix: string | undefined;
  /** For people: `the bundled samples`, `s3://bucket, the last 72 hours`. */
  readonly description: string;
}

/** @throws {UsageError | PlanError | EnvironmentError} naming the option */
export async function select(
  options: SourceOptions,
  env: Env = environment(),
  now = new Date(),
): Promise<Selection> {
  const location = options.source ?? (env.RAW_BUCKET ? `s3://${env.RAW_BUCKET}` : SAMPLES);
  if (location.trim() === "") throw new UsageError("--source is empty: it has to name what to read.");
  const asked = askedWindow(options, now);
  const selection = location.startsWith("s3://")
    ? await selectBucket(location, asked, options, env, now)
    : await selectLocal(location, asked);
  const { limit } = options;
  if (limit === undefined) return selection;
  const description = `${selection.description}, the first ${limit} objects`;
  return { ...selection, source: first(selection.source, limit), description };
}

async function selectLocal(location: string, window: Window | null): Promise<Selection> {
  const { source: found, hasTimes } = await localSource(location);
  // By whatever path they are given: they are the same objects.
  const isSamples = found.bucket === `file://${await realpath(SAMPLES)}`;
  const source = isSamples ? samplesOf(found) : found;
  if (window && !hasTimes)
    throw new UsageError(
      `--from, --to and --last need folders events/YYYY/MM/DD/, and ${location} has none: leave them out.`,
    );
  const name = location === SAMPLES ? "the bundled samples" : location === "-" ? "stdin" : location;
  return { source, window, prefix: hasTimes ? undefined : "", description: describe(name, window) };
}

/** The bundled samples as they were in their bucket, a late day included. */
export const samplesOf = (files: Source): Source => datedByKey(files, storyOf(BUNDLED).delay);

async function selectBucket(
  location: string,
  asked: Window | null,
  { concurrency = 128 }: SourceOptions,
  env: Env,
  now: Date,
): Promise<Selection> {
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(location) ?? [];
  if (!bucket)
    throw new UsageError(
      `--source must be a directory, a file, a glob, - or s3://bucket[/prefix], not "${location}".`,
    );
  const window = asked ?? (prefix ? null : lookbackWindow(readLookbackHours(env), now));
  // Loaded when it is needed: the SDK is a megabyte that a run over files does not wait for.
  const { bucketSource } = await import("./bucket-source.js");
  const source = bucketSource(bucket, concurrency, env);
  return { source, window, prefix: prefix || undefined, description: describe(location, window) };
}

function askedWindow({ from, to, last }: SourceOptions, now: Date): Window | null {
  if (last !== undefined && (from !== undefined || to !== undefined))
    throw new UsageError("--last does not go with --from or --to: give one or the other.");
  if (last !== undefined) return lookbackWindow(Math.ceil(parseDuration(last, "--last") / 3_600_000), now);
  if (from === undefined && to === undefined) return null;
  if (from === undefined) throw new UsageError("--to needs --from: the window is [--from, --to).");
  return parseWindow(from, to ?? now.toISOString(), { from: "--from", to: "--to" });
}

const describe = (name: string, window: Window | null): string =>
  window ? `${name}, ${window.from.toISOString()} to ${window.to.toISOString()}` : name;
