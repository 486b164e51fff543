import type { EtlError } from "../errors.js";
import type { WarehouseClient, WarehousePool } from "../load/warehouse.js";
import { uuidHash } from "../rows/uuid-hash.js";
import { HOUR } from "../times.js";
import { copyLines, dayQueries, type LineBatch, lateQuery } from "./copy-lines.js";
import {
  aloneInLake,
  DaySkipped,
  inSnapshot,
  lateDays,
  listExports,
  recordExport,
  staleDays,
  sumsOf,
} from "./exports.js";
import { batchOf, replaceFile } from "./lake-file.js";
import { ParquetFile } from "./parquet.js";
import type { LakeStore } from "./store.js";

/** What an export did. */
export interface LakeExport {
  /** Days whose file was written. */
  days: number;
  rows: number;
  /** Late events of pruned days that were written; those that the lake had already are not. */
  late: number;
  /** Closed days that are left to the next export. */
  waiting: number;
  /** What went wrong, of single days. */
  readonly errors: EtlError[];
}

export interface ExportOptions {
  /** @default now */
  readonly now?: Date;
  /** Once true nothing more is begun, and the day at hand is left as it was. @default never */
  readonly isTimeUp?: () => boolean;
  readonly onDay?: (day: string, rows: number) => void;
}

/** A day is closed two hours after its end: until then the newest hours of every run may add to it. */
const CLOSED_AFTER_MS = 2 * HOUR;
/** Late events of a day that are written at a time. */
const LATE_AT_ONCE = 50_000;

/**
 * Writes what the lake lacks: closed days whose file is missing or stale, then late events of pruned days. Each day is one
 * snapshot and one file that appears as a whole; whatever stops it, the next export goes on. What fails of one day is noted,
 * and the others are written.
 * @throws {LakeError | LoadError} the store or the warehouse cannot be used
 */
export async function exportLake(
  pool: WarehousePool,
  store: LakeStore,
  options: ExportOptions = {},
): Promise<LakeExport> {
  const done: LakeExport = { days: 0, rows: 0, late: 0, waiting: 0, errors: [] };
  const isAlone = await aloneInLake(pool, async (client) => {
    await new LakeExporter(client, store, options, done).run();
    return true;
  });
  if (isAlone === null) done.waiting = (await staleDays(pool, lastOpenDay(options.now))).length;
  return done;
}

/** The first day that is not closed. */
function lastOpenDay(now = new Date()): string {
  return new Date(now.getTime() - CLOSED_AFTER_MS).toISOString().slice(0, 10);
}

class TimeIsUp extends DaySkipped {
  constructor() {
    super("changed", "The time was up before the day was exported: the next run does it.");
  }
}

class LakeExporter {
  constructor(
    private readonly client: WarehouseClient,
    private readonly store: LakeStore,
    private readonly options: ExportOptions,
    private readonly done: LakeExport,
  ) {}

  async run(): Promise<void> {
    const days = await staleDays(this.client, lastOpenDay(this.options.now));
    this.done.waiting = days.length;
    for (const day of days) {
      if (this.#isTimeUp()) return;
      const rows = await this.#tried(() => inSnapshot(this.client, () => this.#exportDay(day)));
      if (rows === null) continue;
      this.done.days++;
      this.done.rows += rows;
      this.done.waiting--;
      this.options.onDay?.(day, rows);
    }
    for (const day of await lateDays(this.client))
      for (let isMore = true; isMore && !this.#isTimeUp(); )
        isMore = (await this.#tried(() => inSnapshot(this.client, () => this.#exportLate(day)))) ?? false;
  }

  /** Null: that failed, and the others may go well. What is true of all of them is thrown. */
  async #tried<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof TimeIsUp) return null;
      if (!(error instanceof UnfitDay)) throw error;
      this.done.errors.push(error);
      return null;
    }
  }

  /** Not when the table holds other rows than loads brought: a good file would be lost to a bad table. */
  async #exportDay(day: string): Promise<number> {
    const { loaded, there } = await sumsOf(this.client, day);
    if (there.rows !== loaded.rows || there.ids !== loaded.ids || there.details !== loaded.details)
      throw new UnfitDay(
        `${day} is not exported: loads brought ${loaded.rows} rows and ${loaded.details} details of it, the table holds ${there.rows} and ${there.details}, or others; \`verify\` says which.`,
      );
    const file = await replaceFile(this.store, { day, part: 0 }, this.#dayLines(day), ({ rows }) => {
      if (rows !== there.rows)
        throw new UnfitDay(
          `${day} is not exported: its ${there.rows} events were read as ${rows} rows, for some have more than one row of details.`,
        );
    });
    await recordExport(this.client, { ...file, ...there, day, part: 0 });
    return file.rows;
  }

  async *#dayLines(day: string): AsyncGenerator<LineBatch> {
    for (const query of dayQueries(day)) {
      if (this.#isTimeUp()) throw new TimeIsUp();
      yield* copyLines(this.client, query);
    }
  }

  /**
   * A further file with the first late events that the day's others do not hold. @returns whether there may be more.
   * The events leave the table with the row that says where they are; a file that was written without one is written over.
   */
  async #exportLate(day: string): Promise<boolean> {
    const lines: string[] = [];
    for await (const batch of copyLines(this.client, lateQuery(day, LATE_AT_ONCE)))
      lines.push(...batch.lines);
    if (lines.length === 0) return false;
    const files = await listExports(this.client, day);
    const known = await this.#known(files, new Set(lines.map(idOf)));
    const fresh = lines.filter((line) => !known.has(idOf(line)));
    if (fresh.length > 0) {
      const part = Math.max(0, ...files.map((file) => file.part)) + 1;
      const file = await replaceFile(this.store, { day, part }, toAsync([batchOf(fresh)]));
      const ids = fresh.reduce((sum, line) => sum + BigInt(idHash(idOf(line))), 0n);
      await recordExport(this.client, { ...file, day, part, ids: String(ids), details: 0 });
    }
    await this.#removeLate(lines.map(idOf));
    this.done.late += fresh.length;
    return lines.length === LATE_AT_ONCE;
  }

  async #known(files: readonly { key: string }[], ids: ReadonlySet<string>): Promise<Set<string>> {
    const known = new Set<string>();
    for (const { key } of files) {
      const file = await ParquetFile.open(await this.store.open(key));
      for await (const { columns } of file.groups(["event_id"]))
        for (const id of Array.from(columns[0] ?? [])) if (ids.has(id as string)) known.add(id as string);
    }
    return known;
  }

  async #removeLate(ids: readonly string[]): Promise<void> {
    await this.client.query("DELETE FROM etl.late_event_details WHERE event_id = ANY ($1)", [ids]);
    await this.client.query("DELETE FROM etl.late_events WHERE event_id = ANY ($1)", [ids]);
  }

  #isTimeUp(): boolean {
    return this.options.isTimeUp?.() ?? false;
  }
}

/** One day cannot be exported as it is. */
class UnfitDay extends DaySkipped {
  constructor(message: string) {
    super("fatal", message);
  }
}

const idOf = (line: string): string => line.slice(0, line.indexOf("\t"));
export const idHash = (id: string): number => uuidHash(Buffer.from(id.replaceAll("-", ""), "hex"));

async function* toAsync<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
