import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RejectCause } from "etl-lib";
import { DEFAULTS, type GenerateOptions, generateEvents } from "./generate.js";
import { type Layout, layOut, recordsPerFile } from "./layouts.js";
import type { SampleObject } from "./pack.js";
import { seededRandom } from "./random.js";
import { storyOf } from "./story.js";
import { MS_PER_DAY } from "./timeline.js";

export interface SampleOptions extends GenerateOptions {
  readonly layout: Layout;
  /** The folder that stands for the bucket; made when it is not there, and never emptied. */
  readonly out: string;
}

/** What was made, and what a run over it has to count: read = rows + duplicates + the sum of rejects. */
export interface SampleReport {
  readonly out: string;
  readonly layout: Layout;
  readonly seed: string;
  objects: number;
  /** Of the objects, those whose modification time is hours or days after their key's. */
  lateObjects: number;
  bytes: number;
  /** All records. */
  events: number;
  rows: number;
  duplicates: number;
  rejects: { [cause in RejectCause]?: number };
  /** Of the rows, those with a value that is repaired. */
  repaired: number;
}

/** The objects of a sample, one at a time. The same options give the same bytes. */
export function sampleObjects(
  options: GenerateOptions & { readonly layout: Layout },
): Generator<SampleObject> {
  const { events, dirty, seed, from, days, story } = { ...DEFAULTS, ...options };
  const perFile = recordsPerFile(events, days);
  const random = seededRandom(`${seed} ${options.layout}`);
  return layOut(generateEvents(options), options.layout, random, {
    dirty,
    recordsPerFile: perFile,
    end: from.getTime() + days * MS_PER_DAY,
    delay: storyOf({ story, from }).delay,
  });
}

/** Writes a sample as files, each with its object's modification time. @param onProgress events written so far */
export function writeSample(options: SampleOptions, onProgress?: (events: number) => void): SampleReport {
  const { out, layout, seed = DEFAULTS.seed } = options;
  const report: SampleReport = {
    out,
    layout,
    seed: `${seed}`,
    objects: 0,
    lateObjects: 0,
    bytes: 0,
    events: 0,
    rows: 0,
    duplicates: 0,
    rejects: {},
    repaired: 0,
  };
  const folders = new Set<string>();
  for (const object of sampleObjects(options)) {
    write(out, object, folders);
    tally(report, object);
    onProgress?.(report.events);
  }
  return report;
}

function write(out: string, { key, body, lastModified }: SampleObject, folders: Set<string>): void {
  const file = join(out, key);
  const folder = dirname(file);
  if (!folders.has(folder)) mkdirSync(folder, { recursive: true });
  folders.add(folder);
  writeFileSync(file, body);
  utimesSync(file, lastModified, lastModified);
}

function tally(report: SampleReport, { records, body, isLate }: SampleObject): void {
  report.objects += 1;
  report.lateObjects += isLate ? 1 : 0;
  report.bytes += body.length;
  for (const { expect, isRepaired } of records) {
    report.events += 1;
    if (isRepaired) report.repaired += 1;
    if (expect === "row") report.rows += 1;
    else if (expect === "duplicate") report.duplicates += 1;
    else report.rejects[expect] = (report.rejects[expect] ?? 0) + 1;
  }
}
