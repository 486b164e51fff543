import type { GeneratedEvent } from "./dirt.js";
import {
  arrival,
  chooseWrapping,
  type Format,
  isCutOff,
  pack,
  type SampleObject,
  type Wrapping,
} from "./pack.js";
import type { Random } from "./random.js";

export const LAYOUTS = ["object", "ndjson", "array", "mixed"] as const;
export type Layout = (typeof LAYOUTS)[number];

export interface LayoutOptions {
  /** Share of objects that are late or wrapped in an unusual way, 0 to 1. */
  readonly dirty: number;
  /** At most so many in a file. */
  readonly recordsPerFile: number;
  /** The end of the last day, in milliseconds since 1970. */
  readonly end: number;
  /** So much later than usual the object appears that holds what was received then. */
  delay(at: number): number;
}

const MIN_PER_FILE = 40;
const MAX_PER_FILE = 5_000;
const FILES_PER_DAY = 6;
/** Of the mixed layout, what is not compacted yet. */
const NEWEST = 12 * 3_600_000;
/** A file holds many records, so fewer of them would be touched than of one-event objects. */
const FILE_SHARE = 25;

/** About six files a day, but neither tiny nor larger than a machine likes to hold. */
export function recordsPerFile(events: number, days: number): number {
  return Math.min(MAX_PER_FILE, Math.max(MIN_PER_FILE, Math.ceil(events / (days * FILES_PER_DAY))));
}

/** Lays the records out as objects of a bucket, one object in memory at a time. */
export function layOut(
  records: Iterable<GeneratedEvent>,
  layout: Layout,
  random: Random,
  options: LayoutOptions,
): Generator<SampleObject> {
  if (layout === "object") return oneByOne(records, random, options);
  if (layout === "mixed") return mixed(records, random, options);
  return new Files(layout, random, options).layOut(records);
}

/** A bucket in which somebody tidies up: the last hours are as the ingest function left them, the days before are compacted. */
function* mixed(
  records: Iterable<GeneratedEvent>,
  random: Random,
  options: LayoutOptions,
): Generator<SampleObject> {
  const all = records[Symbol.iterator]();
  let newest: GeneratedEvent | undefined;
  const older = function* () {
    for (let next = all.next(); !next.done; next = all.next()) {
      newest = next.value;
      if (newest.at >= options.end - NEWEST) return;
      yield newest;
    }
    newest = undefined;
  };
  const rest = function* () {
    if (newest !== undefined) yield newest;
    for (let next = all.next(); !next.done; next = all.next()) yield next.value;
  };
  yield* new Files("ndjson", random, { ...options, recordsPerFile: MAX_PER_FILE }, true).layOut(older());
  yield* oneByOne(rest(), random, options);
}

/** What the ingest function writes: `events/YYYY/MM/DD/HH/event-<uuid>.json`, an event each. */
function* oneByOne(
  records: Iterable<GeneratedEvent>,
  random: Random,
  { dirty, delay }: LayoutOptions,
): Generator<SampleObject> {
  let open: GeneratedEvent[] = [];
  const close = (): SampleObject => {
    const [first] = open as [GeneratedEvent];
    return {
      key: `events/${path(first.at, 13)}/event-${random.uuid()}.json`,
      body: pack(open, "values", wrappingOf(first, random, dirty)),
      ...arrival(random, first.at, dirty, delay(first.at)),
      records: open,
    };
  };
  for (const record of records) {
    // An event delivered twice in one object: the two values stand one after another.
    const joins = record.expect === "duplicate" && record.placement === "same-file";
    if (!joins && open.length > 0) {
      yield close();
      open = [];
    }
    open.push(record);
  }
  if (open.length > 0) yield close();
}

/** Compacted files: `events/YYYY/MM/DD/part-00000-<id>.ndjson` or `.json`. */
class Files {
  readonly #id: string;
  readonly #share: number;
  #number = 0;
  #open: GeneratedEvent[] = [];
  /** Duplicates that wait for the next file. */
  #held: GeneratedEvent[] = [];

  constructor(
    private readonly format: Exclude<Format, "values">,
    private readonly random: Random,
    private readonly options: LayoutOptions,
    private readonly isCompressed = false,
  ) {
    this.#id = random.hex(8);
    this.#share = isCompressed ? 0 : Math.min(0.5, options.dirty * FILE_SHARE);
  }

  *layOut(records: Iterable<GeneratedEvent>): Generator<SampleObject> {
    for (const record of records) {
      if (record.placement === "other-file") this.#held.push(record);
      else if (this.#standsAlone(record)) yield this.#file([record]);
      else yield* this.#append(record);
    }
    if (this.#open.length > 0) yield this.#file(this.#open);
    if (this.#held.length > 0) yield this.#file(this.#held);
  }

  #standsAlone({ placement }: GeneratedEvent): boolean {
    return placement.startsWith("own-") || (placement === "same-file" && this.#isCut);
  }

  /** Only a whole event begins a file: what NDJSON is, a reader tells by a good line. */
  *#append(record: GeneratedEvent): Generator<SampleObject> {
    if (record.placement === "next" && this.#open.length > 0 && this.#isDone(record)) {
      yield this.#file(this.#open);
      this.#open = [];
    }
    this.#open.push(record);
    if (this.#open.length === 1) this.#open.push(...this.#held.splice(0));
  }

  #isDone(next: GeneratedEvent): boolean {
    const [first] = this.#open;
    const isNewDay = first !== undefined && path(first.at, 10) !== path(next.at, 10);
    return this.#isCut || isNewDay || this.#open.length >= this.options.recordsPerFile;
  }

  get #isCut(): boolean {
    return this.format === "array" && isCutOff(this.#open.at(-1));
  }

  #file(records: GeneratedEvent[]): SampleObject {
    const [first] = records as [GeneratedEvent];
    const number = `${this.#number++}`.padStart(5, "0");
    const extension = `${this.format === "ndjson" ? "ndjson" : "json"}${this.isCompressed ? ".gz" : ""}`;
    const share = this.#share;
    const at = records.at(-1)?.at ?? first.at;
    const wrapping = this.isCompressed ? "gzip" : wrappingOf(first, this.random, share);
    return {
      key: `events/${path(first.at, 10)}/part-${number}-${this.#id}.${extension}`,
      body: pack(records, this.format, wrapping),
      ...arrival(this.random, at, share / 2, this.options.delay(at)),
      records,
    };
  }
}

function wrappingOf({ placement }: GeneratedEvent, random: Random, share: number): Wrapping {
  return placement === "own-gzip-file" ? "gzip" : chooseWrapping(random, share);
}

/** `2026/11/20` for ten characters of the time, `2026/11/20/05` for thirteen. */
function path(at: number, length: 10 | 13): string {
  return new Date(at).toISOString().slice(0, length).replace(/[-T]/g, "/");
}
