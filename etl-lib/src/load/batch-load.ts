import { addEvents, countReject, noEvents } from "../counts.js";
import { RepairLog } from "../transform/repair.js";
import type { EventCounts, RejectCounts, SourceObject, Warnings } from "../types.js";
import type { EventChunk, ObjectTally } from "./event-chunk.js";
import type { InsertNew } from "./insert-new.js";
import { type Claim, claim, settle } from "./ledger.js";
import { insertRejects } from "./rejects.js";
import type { WarehouseClient } from "./warehouse.js";

/** What a batch added to the warehouse, or would have. */
export interface BatchResult {
  /** Objects loaded now; the others of the batch were loaded by someone else meanwhile. */
  loaded: number;
  events: EventCounts;
  rejects: RejectCounts;
  warnings: Warnings;
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
    private readonly insertNew: InsertNew,
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
  async #insert({ rows, objectOfRow }: EventChunk, claims: Map<number, Claim>): Promise<Map<number, number>> {
    const inserted = new Map<number, number>();
    const wanted = Uint8Array.from(objectOfRow, (object) => (claims.has(object) ? 1 : 0));
    await this.insertNew.insert(this.client, rows, wanted);
    for (const [row, object] of objectOfRow.entries())
      if (wanted[row]) inserted.set(object, (inserted.get(object) ?? 0) + 1);
    return inserted;
  }
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
