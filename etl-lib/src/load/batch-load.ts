import { addEvents, countReject, noEvents } from "../counts.js";
import type { ExtractError } from "../errors.js";
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
import { OpenObject } from "./open-object.js";
import { assertKept } from "./pg-errors.js";
import { insertRejects } from "./rejects.js";
import type { WarehouseClient } from "./warehouse.js";

const EVENTS = "public.clickstream_events";
const COLUMNS = EVENT_COLUMNS.join(", ");

/** What a batch added to the warehouse, or would have. */
export interface BatchResult {
  /** Objects read to their end. */
  readonly read: number;
  /** Objects loaded now; the others that were read were loaded by someone else meanwhile. */
  readonly loaded: number;
  /** Why objects were left out, by their index in the batch. */
  readonly failures: ReadonlyMap<number, ExtractError>;
  readonly events: EventCounts;
  readonly rejects: RejectCounts;
  readonly warnings: Warnings;
}

/** How the last chunk went, which is how the next one is tried first. */
export interface CopyMode {
  direct: boolean;
}

/** What was written so far; objects by their index in the batch. */
interface Written {
  readonly counts: Map<number, EventCounts>;
  readonly claims: Map<number, Claim>;
  /** What the ledger says of the objects that were claimed. */
  readonly claimed: Map<number, EventCounts>;
  readonly rejects: RejectCounts;
  readonly warnings: Warnings;
  readonly hours: Set<number>;
}

/** One batch on its way into the warehouse, inside the caller's transaction. */
export class BatchLoad {
  readonly #failures = new Map<number, ExtractError>();
  readonly #open: OpenObject<Written>;
  #written: Written = {
    counts: new Map(),
    claims: new Map(),
    claimed: new Map(),
    rejects: {},
    warnings: {},
    hours: new Set(),
  };

  constructor(
    private readonly client: WarehouseClient,
    private readonly runId: string,
    private readonly objects: readonly SourceObject[],
    private readonly mode: CopyMode,
    private readonly reload = false,
  ) {
    this.#open = new OpenObject(client);
  }

  /** Takes the chunk's objects in the ledger, and writes the rows and rejects of those that nobody else has. */
  async add(chunk: EventChunk): Promise<void> {
    this.#written = await this.#open.enter(chunk, this.#written);
    for (const [object, failure] of chunk.failures) this.#failures.set(object, failure);
    await this.#claim(chunk);
    const { counts, claims, rejects, warnings, hours } = this.#written;
    const inserted = await this.#insert(chunk, claims);
    for (const [object, tally] of chunk.tallies)
      addEvents(countsOf(counts, object), countsFrom(tally, inserted.get(object) ?? 0));
    const ours = chunk.rejects.filter(({ object }) => claims.has(object));
    await insertRejects(this.client, this.runId, this.objects, ours);
    for (const { cause, records } of ours) countReject(rejects, cause, records);
    new RepairLog(warnings).merge(chunk.repairs.warnings);
    for (const hour of chunk.hours) hours.add(hour);
    await this.#open.leave(chunk);
  }

  /** The UTC hours that rows of this batch lie in. */
  get hours(): ReadonlySet<number> {
    return this.#written.hours;
  }

  /** Corrects the ledger where a further chunk, or a duplicate, made other counts than expected. */
  async finish(): Promise<BatchResult> {
    const { counts, claims, claimed, rejects, warnings } = this.#written;
    const changed = [...claims].filter(([object, { before }]) => {
      const [is, says] = [countsOf(counts, object), countsOf(claimed, object)];
      return before !== null || is.inserted !== says.inserted || is.read !== says.read;
    });
    await settle(
      this.client,
      changed.map(([object]) => this.objects[object] as SourceObject),
      changed.map(([object, { before }]) => ofVersion(countsOf(counts, object), before)),
    );
    const events = noEvents();
    for (const object of claims.keys()) addEvents(events, countsOf(counts, object));
    return { read: counts.size, loaded: claims.size, failures: this.#failures, events, rejects, warnings };
  }

  /** Expects what holds of nearly every object: all of it is in this chunk, and nothing is there already. */
  async #claim(chunk: EventChunk): Promise<void> {
    const { counts, claims, claimed } = this.#written;
    const fresh = [...chunk.tallies].filter(([object]) => !counts.has(object));
    if (fresh.length === 0) return;
    const expected = fresh.map(([, tally]) =>
      countsFrom(tally, tally.read - tally.rejected - tally.duplicates),
    );
    const objects = fresh.map(([object]) => this.objects[object] as SourceObject);
    const taken = await claim(this.client, this.runId, objects, expected, this.reload);
    for (const [at, [object]] of fresh.entries()) {
      const found = taken.get(at);
      if (!found) continue;
      claims.set(object, found);
      claimed.set(object, expected[at] as EventCounts);
    }
  }

  /** @returns how many rows of each object were new */
  async #insert(chunk: EventChunk, claims: Map<number, Claim>): Promise<Map<number, number>> {
    if (chunk.lines.count === 0) return new Map();
    const isWhole = [...chunk.tallies.keys()].every((object) => claims.has(object));
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

function countsOf(all: Map<number, EventCounts>, object: number): EventCounts {
  let counts = all.get(object);
  if (!counts) {
    counts = noEvents();
    all.set(object, counts);
  }
  return counts;
}

const countsFrom = ({ read, rejected }: ObjectTally, inserted: number): EventCounts => ({
  read,
  inserted,
  rejected,
  duplicates: read - rejected - inserted,
});

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
