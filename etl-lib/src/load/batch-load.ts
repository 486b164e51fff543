import { addEvents, countReject, noEvents } from "../counts.js";
import { RepairLog } from "../transform/repair.js";
import {
  EVENT_COLUMNS,
  type EventCounts,
  type RejectCounts,
  type SourceObject,
  type Warnings,
} from "../types.js";
import { copyIntoEvents, copyIntoStage, type StagedLine } from "./copy.js";
import type { EventChunk, ObjectTally } from "./event-chunk.js";
import { type Claim, claim, settle } from "./ledger.js";
import { assertKept } from "./pg-errors.js";
import { insertRejects } from "./rejects.js";
import type { WarehouseClient } from "./warehouse.js";

const EVENTS = "public.clickstream_events";
const COLUMNS = EVENT_COLUMNS.join(", ");

/** What a batch added to the warehouse, or would have. */
export interface BatchResult {
  /** Objects loaded now; the others of the batch were loaded by someone else meanwhile. */
  loaded: number;
  events: EventCounts;
  rejects: RejectCounts;
  warnings: Warnings;
}

/** How the last chunk went, which is how the next one is tried first. */
export interface CopyMode {
  direct: boolean;
}

/** One batch on its way into the warehouse, inside the caller's transaction. */
export class BatchLoad {
  readonly #repairs = new RepairLog();
  readonly #counts: EventCounts[];
  readonly #hours = new Set<number>();
  readonly #rejects: RejectCounts = {};
  #claims: Map<number, Claim> | undefined;
  #expected: EventCounts[] = [];

  constructor(
    private readonly client: WarehouseClient,
    private readonly runId: string,
    private readonly objects: readonly SourceObject[],
    private readonly mode: CopyMode,
    private readonly reload = false,
  ) {
    this.#counts = objects.map(noEvents);
  }

  /** Writes a chunk's rows and rejects. The first one takes the objects in the ledger. */
  async add(chunk: EventChunk): Promise<void> {
    this.#claims ??= await this.#claim(chunk);
    const inserted = await this.#insert(chunk, this.#claims);
    for (const [object, tally] of chunk.tallies)
      if (this.#claims.has(object))
        addTally(this.#counts[object] as EventCounts, tally, inserted.get(object) ?? 0);
    const rejects = chunk.rejects.filter(({ object }) => this.#claims?.has(object));
    await insertRejects(this.client, this.runId, this.objects, rejects);
    for (const { cause } of rejects) countReject(this.#rejects, cause);
    this.#repairs.merge(chunk.repairs.warnings);
    for (const hour of chunk.hours) this.#hours.add(hour);
  }

  /** The UTC hours that rows of this batch lie in. */
  get hours(): ReadonlySet<number> {
    return this.#hours;
  }

  /** Corrects the ledger where a chunk that was not the first, or a duplicate, made other counts. */
  async finish(): Promise<BatchResult> {
    const claims = this.#claims ?? (await this.#claim());
    const changed = [...claims].filter(([object, { before }]) => {
      const [counts, expected] = [this.#counts[object], this.#expected[object]] as [EventCounts, EventCounts];
      return before !== null || counts.inserted !== expected.inserted || counts.read !== expected.read;
    });
    await settle(
      this.client,
      changed.map(([object]) => this.objects[object] as SourceObject),
      changed.map(([object, { before }]) => ofVersion(this.#counts[object] as EventCounts, before)),
    );
    const events = noEvents();
    for (const object of claims.keys()) addEvents(events, this.#counts[object] as EventCounts);
    return { loaded: claims.size, events, rejects: this.#rejects, warnings: this.#repairs.warnings };
  }

  /** Expects what holds in nearly every batch: one chunk, in which nothing is a duplicate of what is there. */
  #claim(chunk?: EventChunk): Promise<Map<number, Claim>> {
    this.#expected = this.objects.map((_, object) => {
      const counts = noEvents();
      const tally = chunk?.tallies.get(object);
      if (tally) addTally(counts, tally, tally.read - tally.rejected - tally.duplicates);
      return counts;
    });
    return claim(this.client, this.runId, this.objects, this.#expected, this.reload);
  }

  /** @returns how many rows of each object were new */
  async #insert(chunk: EventChunk, claims: Map<number, Claim>): Promise<Map<number, number>> {
    if (chunk.lines.count === 0) return new Map();
    const isWhole = claims.size === this.objects.length;
    if (this.mode.direct && isWhole && (await this.#tryDirect(chunk.lines)))
      return countBy(chunk.objectOfLine);
    const inserted = await this.#insertNew(stagedLines(chunk, claims));
    const total = [...inserted.values()].reduce((sum, count) => sum + count, 0);
    this.mode.direct = total === chunk.lines.count;
    if (!this.mode.direct) await this.#assertAllThere();
    return inserted;
  }

  /** False when an event of the chunk is there already; the table is then as before. */
  async #tryDirect(lines: EventChunk["lines"]): Promise<boolean> {
    await this.client.query("SAVEPOINT chunk");
    try {
      assertKept(EVENTS, await copyIntoEvents(this.client, lines.bytes), lines.count);
      await this.client.query("RELEASE SAVEPOINT chunk");
      return true;
    } catch (error) {
      if ((error as { code?: string }).code !== "23505") throw error;
      await this.client.query("ROLLBACK TO SAVEPOINT chunk");
      return false;
    }
  }

  /** What was not inserted now is there from before, unless something keeps rows from being inserted. */
  async #assertAllThere(): Promise<void> {
    const { rows } = await this.client.query<{ staged: number; there: number }>(
      `SELECT count(*)::int AS staged, count(e.event_id)::int AS there
       FROM pg_temp.etl_stage LEFT JOIN public.clickstream_events e USING (event_id)`,
    );
    assertKept(EVENTS, rows[0]?.there ?? 0, rows[0]?.staged ?? 0);
  }

  async #insertNew(lines: Iterable<StagedLine>): Promise<Map<number, number>> {
    await copyIntoStage(this.client, lines);
    const { rows } = await this.client.query<{ object_no: number; inserted: number }>(
      `WITH inserted AS (
         INSERT INTO public.clickstream_events (${COLUMNS}) SELECT ${COLUMNS} FROM pg_temp.etl_stage
         ON CONFLICT (event_id) DO NOTHING RETURNING event_id)
       SELECT object_no, count(*)::int AS inserted FROM pg_temp.etl_stage JOIN inserted USING (event_id) GROUP BY 1`,
    );
    return new Map(rows.map(({ object_no, inserted }) => [object_no, inserted]));
  }
}

/** The chunk's rows of objects that are `within`. */
export function* stagedLines(
  { lines, objectOfLine }: EventChunk,
  within: { has(object: number): boolean },
): Generator<StagedLine> {
  for (const [index, object] of objectOfLine.entries())
    if (within.has(object)) yield { object, line: lines.line(index) };
}

function addTally(counts: EventCounts, { read, rejected }: ObjectTally, inserted: number): void {
  addEvents(counts, { read, inserted, rejected, duplicates: read - rejected - inserted });
}

/**
 * What the ledger says of a version is what of it lies in the table, whichever load inserted it. So rows that were lost
 * and came back with a reload count once: new are only as many as there are events more than before that are no rejects.
 */
function ofVersion(counts: EventCounts, before: EventCounts | null): EventCounts {
  if (!before) return counts;
  const { read, rejected } = counts;
  const accepted = read - rejected;
  const fresh = Math.min(counts.inserted, Math.max(0, accepted - before.inserted - before.duplicates));
  const inserted = Math.min(accepted, before.inserted + fresh);
  return { read, inserted, duplicates: accepted - inserted, rejected };
}

function countBy(keys: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
