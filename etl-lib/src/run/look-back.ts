import { dayPrefix, startOf, type Unit, unitsOf } from "../extract/units.js";
import { lookbackWindow } from "../extract/window.js";
import {
  beginLookback,
  endRun,
  endSweep,
  type ListedBefore,
  type LookbackState,
  noteListed,
  noteSealed,
  oldestAgain,
  readLookback,
  type Sweep,
} from "../load/lookbacks.js";
import { nextToSeal, sealFolder } from "../load/seals.js";
import type { WarehousePool } from "../load/warehouse.js";
import { DAY, HOUR, MINUTE, startOfDay } from "../times.js";
import type { Window } from "../types.js";
import type { Covered } from "./coverage.js";

/** Which hours a run considers when it is given none. */
export interface LookbackOptions {
  /** What lies in an hour is found as long as it is written within so many hours of it. */
  readonly hours: number;
  /** The hour at hand and so many before it are listed by every run. */
  readonly recentHours: number;
}

/** So that the run of an hourly schedule that comes a moment early sweeps, and not the one an hour later. */
const SWEEP_AFTER_MS = DAY - 30 * MINUTE;
/** No run of the function lasts longer: one that has said nothing since was killed. */
const KILLED_AFTER_MS = 15 * MINUTE;
/** What cannot be read is tried by each run for so long. */
const LONGEST_TRIED_MS = 7 * DAY;
/** However long nothing has run. */
const FARTHEST_MS = 90 * DAY;

/**
 * The look-back of one run: the newest hours, what no run has listed since it was new, and while a sweep is under way
 * all that this sweep has not listed yet. There is no cursor in time: what is late is found by the next sweep.
 */
export class LookBack {
  private constructor(
    private readonly pool: WarehousePool,
    private readonly bucket: string,
    private readonly runId: string,
    private readonly options: LookbackOptions,
    private readonly now: Date,
    private readonly sweep: Sweep | null,
    private readonly listed: ReadonlyMap<string, ListedBefore>,
    /** The last run was killed, failed, or had no time for all. */
    readonly isAfterACut: boolean,
  ) {}

  static async begin(
    pool: WarehousePool,
    run: { readonly bucket: string; readonly runId: string; readonly now: Date },
    options: LookbackOptions,
  ): Promise<LookBack> {
    let isAfterACut = false;
    const { sweep, listed } = await beginLookback(pool, run, (state) => {
      isAfterACut = state.runId !== null;
      return sweepOf(state, options, run.now);
    });
    return new LookBack(pool, run.bucket, run.runId, options, run.now, sweep, listed, isAfterACut);
  }

  get window(): Window {
    const { from, to } = lookbackWindow(this.options.hours, this.now);
    const again = [...this.listed].filter(([, { again }]) => again).map(([prefix]) => startOf(prefix));
    const starts = [from, ...(this.sweep ? [this.sweep.from] : [])].map((start) => start.getTime());
    return { from: new Date(Math.min(...starts, ...again)), to };
  }

  readonly isDue = ({ prefix, to }: Unit): boolean => {
    const before = this.listed.get(prefix);
    if (!before || before.again) return true;
    const settled = to + (this.options.recentHours - 1) * HOUR;
    return before.listedAt.getTime() < Math.max(settled, this.sweep?.startedAt.getTime() ?? settled);
  };

  /** All that was found in it is loaded, or with `again` nearly all. */
  covered(covered: Covered): Promise<void> {
    return noteListed(this.pool, this.bucket, { ...covered, listedAt: this.now });
  }

  /** @param well nothing remains of what was due */
  async end(well: boolean): Promise<void> {
    if (this.sweep) {
      const { startedAt, from } = this.sweep;
      const prefixes = unitsOf({ from, to: startedAt }).map(({ prefix }) => prefix);
      await endSweep(this.pool, this.bucket, { startedAt, prefixes, now: this.now });
    }
    await endRun(this.pool, this.bucket, this.runId, well);
  }

  /**
   * Seals the ledger of whole days that no look-back reaches any more and nothing is to be tried again in, a folder at a time, until `isTimeUp`; the first
   * one whatever the time, so that busy runs seal too.
   * @returns rows of the ledger that were folded
   */
  async seal(isTimeUp: () => boolean): Promise<number> {
    const state = await readLookback(this.pool, this.bucket);
    if (!state?.sweptAt) return 0;
    const open = await oldestAgain(this.pool, this.bucket, dayPrefix(this.now.getTime() - LONGEST_TRIED_MS));
    const starts = [lookbackWindow(this.options.hours, state.sweptAt).from, state.sweepFrom].filter(
      (start) => start !== null,
    );
    const first = Math.min(...starts.map((start) => start.getTime()), ...(open ? [startOf(open)] : []));
    const horizon = new Date(startOfDay(first));
    const end = dayPrefix(horizon.getTime());
    let folded = 0;
    let last = state.sealedTo ? dayPrefix(state.sealedTo.getTime()) : "";
    for (;;) {
      const next = await nextToSeal(this.pool, this.bucket, last, end);
      if (!next) break;
      folded += await sealFolder(this.pool, this.bucket, next.folder);
      last = next.key;
      if (isTimeUp()) return folded;
    }
    await noteSealed(this.pool, this.bucket, horizon, end);
    return folded;
  }
}

/** The one that is under way; else a new one when a day has passed, or the last run did not end well. */
function sweepOf(state: LookbackState, { hours }: LookbackOptions, now: Date): Sweep | null {
  const { sweepStartedAt, sweepFrom, sweptAt, runId, runStartedAt, runEnded } = state;
  if (sweepStartedAt && sweepFrom) return { startedAt: sweepStartedAt, from: sweepFrom };
  const age = (then: Date | null) => (then ? now.getTime() - then.getTime() : Number.POSITIVE_INFINITY);
  const isBroken = runId !== null && (runEnded || age(runStartedAt) > KILLED_AFTER_MS);
  if (!isBroken && age(sweptAt) < SWEEP_AFTER_MS) return null;
  // What came late for an hour at the look-back's end, just after the last sweep, is in the look-back of that time.
  const { from } = lookbackWindow(hours, sweptAt ?? now);
  return { startedAt: now, from: new Date(Math.max(from.getTime(), now.getTime() - FARTHEST_MS)) };
}

/**
 * Seals those of `folders` that belong to days whose ledger is sealed: a backfill leaves no rows behind there.
 * @returns rows of the ledger that were folded
 */
export async function sealFolders(
  pool: WarehousePool,
  bucket: string,
  folders: Iterable<string>,
  isTimeUp: () => boolean,
): Promise<number> {
  const sealedTo = (await readLookback(pool, bucket))?.sealedTo;
  if (!sealedTo) return 0;
  const end = dayPrefix(sealedTo.getTime());
  let folded = 0;
  for (const folder of folders) {
    if (folder < end) folded += await sealFolder(pool, bucket, folder);
    if (isTimeUp()) break;
  }
  return folded;
}
