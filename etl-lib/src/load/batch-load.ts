import { addEvents, countReject, noEvents } from "../counts.js";
import type { ExtractError } from "../errors.js";
import { RepairLog } from "../transform/repair.js";
import type { EventCounts, RejectCounts, SourceObject, Warnings } from "../types.js";
import type { EventChunk, ObjectTally } from "./event-chunk.js";
import type { InsertNew } from "./insert-new.js";
import { type Claim, claim, settle } from "./ledger.js";
import { OpenObject } from "./open-object.js";
import { insertRejects } from "./rejects.js";
import type { WarehouseClient } from "./warehouse.js";

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
    private readonly insertNew: InsertNew,
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
  async #insert({ rows, objectOfRow }: EventChunk, claims: Map<number, Claim>): Promise<Map<number, number>> {
    const inserted = new Map<number, number>();
    const wanted = Uint8Array.from(objectOfRow, (object) => (claims.has(object) ? 1 : 0));
    await this.insertNew.insert(this.client, rows, wanted);
    for (const [row, object] of objectOfRow.entries())
      if (wanted[row]) inserted.set(object, (inserted.get(object) ?? 0) + 1);
    return inserted;
  }
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
