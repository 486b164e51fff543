import { PlanError } from "../errors.js";
import { eraseFromLake } from "../lake/erase.js";
import type { LakeStore } from "../lake/store.js";
import { hashOf, type PersonKind } from "../load/erased-persons.js";
import { toLoadError } from "../load/pg-errors.js";
import { hasExports } from "../load/prune.js";
import { ERASED_TEXT } from "../load/rejects.js";
import { type RefreshOptions, refreshRollups } from "../load/rollups.js";
import type { Queryable, WarehousePool } from "../load/warehouse.js";

const WEEK = 7 * 24 * 60 * 60 * 1000;
/** As the table's column holds it at most; and no id is empty. */
const MAX_ID_LENGTH = 4096;

export interface Person {
  readonly kind: PersonKind;
  readonly id: string;
}

export interface EraseOptions {
  /** Counts, and changes nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Null: none is at hand. If the warehouse has one all the same, the erasure is not complete. */
  readonly lake: LakeStore | null;
  /** Asked between two steps; the same erasure again does the rest. @default as long as it takes */
  readonly isTimeUp?: () => boolean;
  readonly refresh?: RefreshOptions;
}

/** What was erased, or would be. It never names the person. */
export interface ErasureReport {
  readonly dryRun: boolean;
  readonly kind: PersonKind;
  /** Rows of the table, and with them their details. */
  events: number;
  details: number;
  /** Late events that waited for the lake. */
  lateEvents: number;
  /** Rejects whose text named the person. */
  rejects: number;
  visits: number;
  sessions: number;
  /** Null: there is no lake. */
  lake: { files: number; rows: number } | null;
  /** UTC days of the person's events, as far as the warehouse knew them: where raw objects are to be looked for. */
  days: string[];
  /** False: something of it is still there; the same erasure again does the rest. */
  isComplete: boolean;
}

/** @throws {PlanError} fatal, when it is no id */
export function assertPerson({ kind, id }: Person): void {
  if (id.trim() !== "" && id.length <= MAX_ID_LENGTH) return;
  throw new PlanError(
    "fatal",
    `An erasure needs a ${kind} of 1 to ${MAX_ID_LENGTH} characters: nothing was erased.`,
  );
}

/**
 * Removes a person from the warehouse and its lake, and remembers a keyed hash, so that nothing that is loaded later brings
 * them back. Remembered first: from then on each step, a transaction of its own, leaves less behind.
 * @throws {EtlError}
 */
export async function erasePerson(
  pool: WarehousePool,
  person: Person,
  options: EraseOptions,
): Promise<ErasureReport> {
  assertPerson(person);
  try {
    return await new Erasure(pool, person, options).run();
  } catch (error) {
    throw toLoadError(error);
  }
}

class Erasure {
  readonly #report: ErasureReport;
  readonly #days = new Set<string>();
  readonly #isTimeUp: () => boolean;

  constructor(
    private readonly pool: WarehousePool,
    private readonly person: Person,
    private readonly options: EraseOptions,
  ) {
    this.#isTimeUp = options.isTimeUp ?? (() => false);
    this.#report = {
      dryRun: options.dryRun ?? false,
      kind: person.kind,
      events: 0,
      details: 0,
      lateEvents: 0,
      rejects: 0,
      visits: 0,
      sessions: 0,
      lake: null,
      days: [],
      isComplete: false,
    };
  }

  async run(): Promise<ErasureReport> {
    const { dryRun, kind } = this.#report;
    const secrets = await this.pool.query<{ secret: Buffer }>("SELECT secret FROM etl.erasure_key");
    const hash = hashOf(secrets.rows[0]?.secret as Buffer, kind, this.person.id);
    if (!dryRun) await this.pool.query("SELECT etl.remember_erasure($1, $2)", [kind, hash]);
    const isWhole = dryRun ? await this.#count() : await this.#erase(hash);
    const isLakeWhole = isWhole && (await this.#eraseLake());
    this.#report.isComplete = isLakeWhole;
    if (isLakeWhole && !dryRun)
      await this.pool.query("UPDATE etl.erasures SET completed_at = now() WHERE kind = $1 AND person = $2", [
        kind,
        hash,
      ]);
    this.#report.days.push(...[...this.#days].sort());
    return this.#report;
  }

  /** @returns whether there was time for all */
  async #erase(hash: Buffer): Promise<boolean> {
    const report = this.#report;
    const who = [report.kind, hash, this.person.id];
    await refreshRollups(this.pool, this.options.refresh); // so that visits know all of the person's sessions
    for (const [lo, hi] of await weeks(this.pool)) {
      if (this.#isTimeUp()) return false;
      const { rows } = await this.pool.query(
        `SELECT events::float8, details::float8, sessions::float8, days::text[] FROM etl.erase_events($1, $2, $3, $4, $5)`,
        [...who, lo, hi],
      );
      this.#add(rows[0]);
    }
    const rollups = await this.pool.query(
      "SELECT visits::float8, sessions::float8, days::text[] FROM etl.erase_rollups($1, $2, $3)",
      who,
    );
    this.#add(rollups.rows[0]);
    report.lateEvents += await this.#eraseLate();
    report.rejects += await this.#eraseRejects();
    await refreshRollups(this.pool, this.options.refresh);
    return !this.#isTimeUp();
  }

  #add(more: { events?: number; details?: number; visits?: number; sessions: number; days: string[] }): void {
    const report = this.#report;
    report.events += more.events ?? 0;
    report.details += more.details ?? 0;
    report.visits += more.visits ?? 0;
    report.sessions += more.sessions;
    for (const day of more.days) this.#days.add(day);
  }

  async #eraseLate(): Promise<number> {
    const { rows } = await this.pool.query<{ count: number; days: string[] }>(
      `WITH gone AS (DELETE FROM etl.late_events WHERE ${this.person.kind} = $1 RETURNING event_id, event_timestamp),
         details AS (DELETE FROM etl.late_event_details WHERE event_id IN (SELECT event_id FROM gone))
       SELECT count(*)::float8 AS count, coalesce(array_agg(DISTINCT (event_timestamp AT TIME ZONE 'UTC')::date)::text[], '{}') AS days
       FROM gone`,
      [this.person.id],
    );
    for (const day of rows[0]?.days ?? []) this.#days.add(day);
    return rows[0]?.count ?? 0;
  }

  async #eraseRejects(): Promise<number> {
    const { rowCount } = await this.pool.query(
      "UPDATE etl.rejects SET raw = $2, detail = $3 WHERE raw ~ $1 OR detail ~ $1",
      [namePattern(this.person.id), ERASED_TEXT.raw, ERASED_TEXT.detail],
    );
    return rowCount ?? 0;
  }

  async #count(): Promise<boolean> {
    const { kind, id } = this.person;
    const { rows } = await this.pool.query(
      `SELECT (SELECT count(*) FROM public.clickstream_events WHERE ${kind} = $1)::float8 AS events,
         (SELECT count(*) FROM public.clickstream_event_details d WHERE (event_id, event_timestamp) IN (
            SELECT event_id, event_timestamp FROM public.clickstream_events WHERE ${kind} = $1))::float8 AS details,
         (SELECT count(*) FROM etl.late_events WHERE ${kind} = $1)::float8 AS "lateEvents",
         (SELECT count(*) FROM etl.rejects WHERE raw ~ $2 OR detail ~ $2)::float8 AS rejects,
         count(*)::float8 AS visits, count(DISTINCT session_id)::float8 AS sessions,
         coalesce(array_agg(DISTINCT (hour AT TIME ZONE 'UTC')::date)::text[], '{}') AS days
       FROM dw.visits LEFT JOIN dw.clients USING (client) WHERE ${kind} = $1`,
      [id, namePattern(id)],
    );
    const { days, ...counts } = rows[0];
    Object.assign(this.#report, counts);
    for (const day of days) this.#days.add(day);
    return true;
  }

  async #eraseLake(): Promise<boolean> {
    const { lake } = this.options;
    if (!lake) return !(await hasExports(this.pool));
    const { kind, id } = this.person;
    const erased = kind === "user_id" ? { userIds: new Set([id]) } : { clientIds: new Set([id]) };
    const { dryRun } = this.#report;
    const { files, rows, isComplete } = await eraseFromLake(this.pool, lake, erased, {
      dryRun,
      isTimeUp: this.#isTimeUp,
    });
    this.#report.lake = { files, rows };
    return isComplete;
  }
}

/** All of time, a week a step where there are rows. */
async function weeks(db: Queryable): Promise<[string, string][]> {
  const { rows } = await db.query<{ week: Date }>(
    "SELECT DISTINCT date_bin('7 days', hour, 'epoch') AS week FROM etl.loaded_hours ORDER BY 1",
  );
  const bounds = rows.flatMap(({ week }) => [week.getTime(), week.getTime() + WEEK]);
  const starts = [...new Set(bounds)].sort((a, b) => a - b).map((time) => new Date(time).toISOString());
  const all = ["-infinity", ...starts, "infinity"];
  return all.slice(1).map((hi, index) => [all[index] as string, hi]);
}

/**
 * The id as a word of a text, as it is or as JSON may write it. A regular expression of PostgreSQL. What stands inside a
 * longer word is another id.
 */
export function namePattern(id: string): string {
  const quoted = JSON.stringify(id).slice(1, -1);
  const ascii = quoted.replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const forms = new Set([
    id,
    quoted,
    ascii,
    ascii.replace(/\\u[\da-f]{4}/g, (code) => `\\u${code.slice(2).toUpperCase()}`),
  ]);
  const escaped = [...forms].map((form) => form.replace(/[^\p{L}\p{N}_ ]/gu, "\\$&"));
  return `(^|[^[:alnum:]_])(${escaped.join("|")})($|[^[:alnum:]_])`;
}
