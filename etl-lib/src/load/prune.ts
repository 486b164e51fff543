import { LoadError, PlanError } from "../errors.js";
import { DAY, HOUR, startOfDay } from "../times.js";
import { readLine } from "./left-out.js";
import type { Queryable } from "./warehouse.js";

/** Rows of a transaction: a second or less, whatever an hour holds. */
const ROWS_AT_ONCE = 50_000;

export interface PruneOptions {
  /** A UTC midnight: the first day that is kept. */
  readonly before: Date;
  /** Days go only when their file in the lake is there, read back, and all that the table holds. */
  readonly lake: boolean;
  /** Asked between two transactions; what is left, the next pruning does. @default as long as it takes */
  readonly isTimeUp?: () => boolean;
}

/** A day that cannot go yet, and why: its rollups are not up to date, or its export is missing, unverified or stale. */
export interface PruneWait {
  /** `2025-12-06` */
  readonly day: string;
  readonly for: "rollups" | "export";
}

export interface PruneResult {
  /** Events removed now. */
  readonly rows: number;
  /** The line; null: nothing was ever pruned. */
  readonly keptFrom: Date | null;
  readonly waits: PruneWait | null;
  /** Nothing before the day that was asked for is left. */
  readonly isDone: boolean;
}

/** What would go, day by day, as the ledger has it. */
export interface PrunePreview {
  readonly rows: number;
  readonly days: readonly { readonly day: string; readonly rows: number }[];
  /** The first day that would not go yet. */
  readonly waits: PruneWait | null;
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** The first day that is kept when `days` whole ones before today's are, in UTC. */
export const keptFromOf = (days: number, now: Date): Date => new Date(startOfDay(now.getTime()) - days * DAY);

/**
 * @param lookbackHours hours within which an object may be written late
 * @throws {PlanError} fatal, when objects of the last day to go are still looked for
 */
export function assertClosed(before: Date, lookbackHours: number, now: Date): void {
  const last = startOfDay(now.getTime() - lookbackHours * HOUR);
  if (before.getTime() <= last) return;
  throw new PlanError(
    "fatal",
    `${dayOf(before.getTime() - DAY)} is still open: late objects are looked for within ${lookbackHours} h of their hour (ETL_LOOKBACK_HOURS), so nothing behind ${dayOf(last - DAY)} can be pruned yet, and nothing was.`,
  );
}

/**
 * Removes the rows of whole UTC days, oldest first. A day is closed in one transaction, after which its events count as
 * expired; its rows then go hour by hour, each some ten thousand in a transaction that takes them off the ledger. Whatever
 * stops it, the next pruning goes on from there.
 * @throws what PostgreSQL says
 */
export async function prune(db: Queryable, options: PruneOptions): Promise<PruneResult> {
  const { before, lake, isTimeUp = () => false } = options;
  const hours = new HourPruning(db, isTimeUp);
  let keptFrom = await readLine(db);
  let waits: PruneWait | null = null;
  let isWhole = await hours.finishDay(keptFrom - DAY);
  while (isWhole && keptFrom < before.getTime() && !isTimeUp()) {
    const day = await nextDay(db, keptFrom, before);
    const { rows } = await db.query<{ waits: PruneWait["for"] | null }>(
      "SELECT etl.close_day($1, $2) AS waits",
      [dayOf(day), lake],
    );
    if (rows[0]?.waits) {
      waits = { day: dayOf(day), for: rows[0].waits };
      break;
    }
    keptFrom = day + DAY;
    isWhole = await hours.pruneDay(day);
  }
  return {
    rows: hours.removed,
    keptFrom: Number.isFinite(keptFrom) ? new Date(keptFrom) : null,
    waits,
    isDone: isWhole && keptFrom >= before.getTime(),
  };
}

class HourPruning {
  removed = 0;

  constructor(
    private readonly db: Queryable,
    private readonly isTimeUp: () => boolean,
  ) {}

  /** The day that was closed last: whatever stopped its pruning. @returns whether nothing of it is left */
  async finishDay(day: number): Promise<boolean> {
    if (!Number.isFinite(day)) return true;
    const { rows } = await this.db.query(
      `SELECT FROM etl.loaded_hours WHERE hour >= $1 AND hour < $2 GROUP BY hour HAVING sum(rows) <> 0 OR sum(details) <> 0`,
      [new Date(day).toISOString(), new Date(day + DAY).toISOString()],
    );
    return rows.length === 0 || this.pruneDay(day);
  }

  async pruneDay(day: number): Promise<boolean> {
    for (let hour = day; hour < day + DAY; hour += HOUR)
      for (let isMore = true; isMore; ) {
        if (this.isTimeUp()) return false;
        isMore = await this.#pruneSome(hour);
      }
    return true;
  }

  async #pruneSome(hour: number): Promise<boolean> {
    const { rows } = await this.db.query<{ events: number; details: number }>(
      "SELECT events::float8, details::float8 FROM etl.prune_hour($1, $2)",
      [new Date(hour).toISOString(), ROWS_AT_ONCE],
    );
    const { events, details } = rows[0] ?? { events: 0, details: 0 };
    this.removed += events;
    return Math.max(events, details) === ROWS_AT_ONCE;
  }
}

/** The next day from `keptFrom` on that a load touched; before the one that is kept, its last. */
async function nextDay(db: Queryable, keptFrom: number, before: Date): Promise<number> {
  const { rows } = await db.query<{ hour: Date | null }>(
    "SELECT min(hour) AS hour FROM etl.loaded_hours WHERE hour >= $1 AND hour < $2",
    [Number.isFinite(keptFrom) ? new Date(keptFrom).toISOString() : "-infinity", before.toISOString()],
  );
  const hour = rows[0]?.hour?.getTime() ?? before.getTime() - DAY;
  return startOfDay(hour);
}

/** What `prune` would do, as far as one can say without doing it. */
export async function previewPrune(
  db: Queryable,
  { before, lake }: Pick<PruneOptions, "before" | "lake">,
): Promise<PrunePreview> {
  const { rows: days } = await db.query<{ day: string; rows: number; waits: PruneWait["for"] | null }>(
    `SELECT to_char(day, 'YYYY-MM-DD') AS day, sum(l.rows)::float8 AS rows,
       CASE WHEN EXISTS (SELECT FROM dw.stale_hours WHERE stale_hours.hour < (day + 1)::timestamp AT TIME ZONE 'UTC')
           OR (SELECT is_rebuilding FROM dw.state) OR EXISTS (SELECT FROM dw.zones WHERE built_at IS NULL) THEN 'rollups'
         WHEN $2 AND EXISTS (SELECT FROM etl.lake_days d WHERE d.day = l.day AND d.rows <> 0 AND d.stale) THEN 'export' END AS waits
     FROM (SELECT (hour AT TIME ZONE 'UTC')::date AS day, rows FROM etl.loaded_hours WHERE hour < $1) l
     GROUP BY day HAVING sum(l.rows) <> 0 ORDER BY day`,
    [before.toISOString(), lake],
  );
  const found = days.find(({ waits }) => waits !== null);
  return {
    rows: days.reduce((sum, { rows }) => sum + rows, 0),
    days: days.map(({ day, rows }) => ({ day, rows })),
    waits: found?.waits ? { day: found.day, for: found.waits } : null,
  };
}

/** Whether there is a lake: it has files. */
export async function hasExports(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ any: boolean }>("SELECT EXISTS (SELECT FROM etl.exports) AS any");
  return rows[0]?.any === true;
}

/** What a run, or a person, learns of a day that waits. */
export const waitText = ({ day, for: reason }: PruneWait): string =>
  reason === "export"
    ? `${day} is not pruned: its file in the lake is missing, not verified, or not what the table holds. The next run with the lake writes it.`
    : `${day} is not pruned: its rollups are not up to date. The next run, or \`rollups refresh\`, sees to it.`;

/** That of a run which prunes as far as it can. */
export const waitError = (wait: PruneWait): LoadError => new LoadError("retriable", waitText(wait));

/** Rows of a statement. */
const RECORDS_AT_ONCE = 1000;

export interface RecordRetention {
  /** Before these, text in quarantine and records of runs go; undefined: all are kept. */
  readonly rejectsBefore?: Date | undefined;
  readonly runsBefore?: Date | undefined;
}

export interface RecordsPruned {
  readonly rejects: number;
  readonly runs: number;
}

/**
 * Of a reject that still stands the text goes, and its row with place, cause and count stays, so that the ledger's counts
 * hold; one that no longer stands goes as a whole.
 */
export async function pruneRecords(
  db: Queryable,
  { rejectsBefore, runsBefore }: RecordRetention,
  isTimeUp: () => boolean = () => false,
): Promise<RecordsPruned> {
  const inSteps = async (before: Date | undefined, prune: "prune_rejects" | "prune_runs") => {
    let count = 0;
    for (let some = RECORDS_AT_ONCE; before && some === RECORDS_AT_ONCE && !isTimeUp(); count += some) {
      const { rows } = await db.query<{ count: number }>(`SELECT etl.${prune}($1, $2)::float8 AS count`, [
        before.toISOString(),
        RECORDS_AT_ONCE,
      ]);
      some = rows[0]?.count ?? 0;
    }
    return count;
  };
  return {
    rejects: await inSteps(rejectsBefore, "prune_rejects"),
    runs: await inSteps(runsBefore, "prune_runs"),
  };
}
