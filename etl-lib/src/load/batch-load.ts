import { addEvents, countReject, noEvents } from "../counts.js";
import { ExtractError } from "../errors.js";
import type { EventChunk, ObjectTally } from "../rows/event-chunk.js";
import { uuidHash } from "../rows/uuid-hash.js";
import { noteSpan } from "../times.js";
import { RepairLog } from "../transform/repair.js";
import type { EventCounts, Reject, RejectCounts, SourceObject, Warnings } from "../types.js";
import { copyIntoDetails } from "./copy.js";
import { fillDetails } from "./fill-details.js";
import type { InsertNew } from "./insert-new.js";
import { type Claim, claim, type LedgerEntry, noEntry, settle } from "./ledger.js";
import { type Keeping, keepLate, leaveOut } from "./left-out.js";
import {
  type HourRows,
  insertLoadedHours,
  type LoadedHours,
  noteHour,
  noteHours,
  surplusOf,
} from "./loaded-hours.js";
import { OpenObject } from "./open-object.js";
import { ERASED_TEXT, insertRejects } from "./rejects.js";
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
  readonly counts: Map<number, LedgerEntry>;
  readonly claims: Map<number, Claim>;
  /** What the ledger says of the objects that were claimed. */
  readonly claimed: Map<number, LedgerEntry>;
  readonly rejects: RejectCounts;
  readonly warnings: Warnings;
  /** Of the rows inserted now; object by object where an object is loaded again. */
  readonly hours: LoadedHours;
  readonly hoursAgain: Map<number, LoadedHours>;
  /** Those that gained details of rows that were there. */
  readonly hoursFilled: Set<number>;
}

/** What became of an object's rows in a chunk. */
interface Share {
  inserted: number;
  expired: number;
  erased: number;
}

export interface BatchOptions {
  readonly keeping: Keeping;
  /** Objects that another run has loaded are loaded again. @default false */
  readonly reload?: boolean;
  /** Late events are kept for the lake. @default false: they are counted only */
  readonly keepsLate?: boolean;
}

/** One batch on its way into the warehouse, inside the caller's transaction. */
export class BatchLoad {
  readonly #failures = new Map<number, ExtractError>();
  readonly #open: OpenObject<Written>;
  #skipped: ReadonlySet<number> = new Set();
  #written: Written = {
    counts: new Map(),
    claims: new Map(),
    claimed: new Map(),
    rejects: {},
    warnings: {},
    hours: new Map(),
    hoursAgain: new Map(),
    hoursFilled: new Set(),
  };

  constructor(
    private readonly client: WarehouseClient,
    private readonly runId: string,
    private readonly objects: readonly SourceObject[],
    private readonly insertNew: InsertNew,
    private readonly options: BatchOptions,
  ) {
    this.#open = new OpenObject(client);
  }

  /** Objects, by their index, that another run may have loaded: they are left to the next run, which looks again. */
  skip(objects: ReadonlySet<number>): void {
    this.#skipped = objects;
    for (const index of objects) {
      const { bucket, key } = this.objects[index] as SourceObject;
      const message = `${key} was sealed by another run since it was listed.`;
      this.#failures.set(index, new ExtractError("changed", message, { object: `${bucket}/${key}` }));
    }
  }

  /** Takes the chunk's objects in the ledger, and writes the rows and rejects of those that nobody else has. */
  async add(chunk: EventChunk): Promise<void> {
    this.#written = await this.#open.enter(chunk, this.#written);
    for (const [object, failure] of chunk.failures) this.#failures.set(object, failure);
    for (const object of this.#skipped) chunk.tallies.delete(object);
    await this.#claim(chunk);
    const { counts, claims, rejects, warnings } = this.#written;
    const shares = await this.#insert(chunk);
    for (const [object, tally] of chunk.tallies)
      addEntry(entryOf(counts, object), entryFrom(tally, shares.get(object)));
    const ours = this.#withoutErased(chunk.rejects.filter(({ object }) => claims.has(object)));
    await insertRejects(this.client, this.runId, this.objects, ours);
    for (const { cause, records } of ours) countReject(rejects, cause, records);
    new RepairLog(warnings).merge(chunk.repairs.warnings);
    await this.#open.leave(chunk);
  }

  /** A reject that names a person who was erased is counted, and its text is not kept. */
  #withoutErased<R extends Reject>(rejects: readonly R[]): readonly R[] {
    const { erased } = this.options.keeping;
    if (!erased) return rejects;
    return rejects.map((reject) => (erased.inText(reject.raw) ? { ...reject, ...ERASED_TEXT } : reject));
  }

  /** The UTC hours that gained rows or details. */
  get hours(): ReadonlySet<number> {
    const { hours, hoursAgain, hoursFilled } = this.#written;
    return new Set([hours, ...hoursAgain.values(), hoursFilled].flatMap((some) => [...some.keys()]));
  }

  /** Corrects the ledger where a further chunk, or a duplicate, made other counts than expected; notes the hours. */
  async finish(): Promise<BatchResult> {
    const { counts, claims, claimed, rejects, warnings } = this.#written;
    const changed = [...claims].filter(([object, { before }]) => {
      const [is, says] = [entryOf(counts, object), entryOf(claimed, object)];
      return before !== null || is.inserted !== says.inserted || is.read !== says.read;
    });
    await settle(
      this.client,
      changed.map(([object]) => this.objects[object] as SourceObject),
      changed.map(([object, { before }]) => ofVersion(entryOf(counts, object), before)),
    );
    await this.#noteHours();
    const events = noEvents();
    for (const object of claims.keys()) addEvents(events, entryOf(counts, object));
    return { read: counts.size, loaded: claims.size, failures: this.#failures, events, rejects, warnings };
  }

  /** Expects what holds of nearly every object: all of it is in this chunk, and nothing is there already. */
  async #claim(chunk: EventChunk): Promise<void> {
    const { counts, claims, claimed } = this.#written;
    const fresh = [...chunk.tallies].filter(([object]) => !counts.has(object));
    if (fresh.length === 0) return;
    const expected = fresh.map(([, tally]) =>
      entryFrom(tally, { ...NO_SHARE, inserted: tally.read - tally.rejected - tally.duplicates }),
    );
    const objects = fresh.map(([object]) => this.objects[object] as SourceObject);
    const taken = await claim(this.client, this.runId, objects, expected, this.options.reload);
    for (const [at, [object]] of fresh.entries()) {
      const found = taken.get(at);
      if (!found) continue;
      claims.set(object, found);
      claimed.set(object, expected[at] as LedgerEntry);
    }
  }

  async #noteHours(): Promise<void> {
    const { hours, hoursAgain, hoursFilled } = this.#written;
    await insertLoadedHours(this.client, this.runId, hours);
    if (hoursAgain.size + hoursFilled.size > 0)
      await insertLoadedHours(this.client, this.runId, await this.#freshHours());
  }

  /**
   * Of the rows that a reload inserted, those that the ledger's hours do not count yet. Where the table now holds what they
   * count, rows came back; where it holds just the inserted ones more, they are new. Where the hour is damaged besides,
   * the counts of the objects decide. Of details it counts what the table holds more than it says.
   */
  async #freshHours(): Promise<LoadedHours> {
    const { counts, claims, hoursAgain, hoursFilled } = this.#written;
    const inserted: LoadedHours = new Map();
    const counted: LoadedHours = new Map();
    const mixed = new Set<number>();
    for (const [object, hours] of hoursAgain) {
      const entry = entryOf(counts, object);
      const fresh = freshOf(entry, claims.get(object)?.before ?? noEvents());
      noteHours(inserted, hours);
      if (fresh === entry.inserted) noteHours(counted, hours);
      else if (fresh > 0) for (const hour of hours.keys()) mixed.add(hour);
    }
    const fresh: LoadedHours = new Map();
    const touched = new Set([...inserted.keys(), ...hoursFilled]);
    for (const [hour, surplus] of await surplusOf(this.client, touched)) {
      const isTold = isSame(surplus, NO_ROWS) || isSame(surplus, inserted.get(hour) ?? NO_ROWS);
      const rows = isTold || mixed.has(hour) ? surplus : (counted.get(hour) ?? NO_ROWS);
      const details = Math.max(0, surplus.details);
      if (!isSame(rows, NO_ROWS) || details > 0) fresh.set(hour, { ...rows, details });
    }
    return fresh;
  }

  async #insert(chunk: EventChunk): Promise<Map<number, Share>> {
    const { rows, details, objectOfRow, hourOfRow } = chunk;
    const { claims } = this.#written;
    const wanted = Uint8Array.from(objectOfRow, (object) => (claims.has(object) ? 1 : 0));
    const leftOut = leaveOut(chunk, wanted, this.options.keeping);
    if (this.options.keepsLate) await keepLate(this.client, chunk, leftOut);
    const shares = new Map<number, Share>();
    const shareOf = (object: number): Share => {
      const share = shares.get(object) ?? { inserted: 0, expired: 0, erased: 0 };
      shares.set(object, share);
      return share;
    };
    for (const [object, expired] of leftOut.expired) shareOf(object).expired = expired;
    for (const [object, erased] of leftOut.erased) shareOf(object).erased = erased;
    const offered = wanted.slice();
    await this.insertNew.insert(this.client, rows, wanted);
    if (details.count > 0) await this.#insertDetails(chunk, offered, wanted);
    for (const [row, object] of objectOfRow.entries()) {
      if (!wanted[row]) continue;
      shareOf(object).inserted++;
      const one = { rows: 1, ids: uuidHash(rows.id(row)), details: details.count > 0 ? 1 : 0 };
      noteHour(this.#hoursOf(object), hourOfRow[row] as number, one);
    }
    return shares;
  }

  /** @param inserted of the rows that were `offered` to the table, those that were new */
  async #insertDetails(
    { rows, details }: EventChunk,
    offered: Uint8Array,
    inserted: Uint8Array,
  ): Promise<void> {
    if (this.options.reload)
      for (const hour of await fillDetails(this.client, rows, details, offered))
        this.#written.hoursFilled.add(hour);
    else if (inserted.includes(1)) await copyIntoDetails(this.client, details.only(inserted));
  }

  #hoursOf(object: number): LoadedHours {
    const { hours, hoursAgain } = this.#written;
    if (!this.options.reload) return hours; // also of an object whose ledger row is folded into a seal
    const again = hoursAgain.get(object) ?? new Map();
    hoursAgain.set(object, again);
    return again;
  }
}

const NO_SHARE: Readonly<Share> = { inserted: 0, expired: 0, erased: 0 };
const NO_ROWS: HourRows = { rows: 0, ids: 0, details: 0 };
const isSame = (one: HourRows, other: HourRows): boolean => one.rows === other.rows && one.ids === other.ids;

function entryOf(all: Map<number, LedgerEntry>, object: number): LedgerEntry {
  let entry = all.get(object);
  if (!entry) {
    entry = noEntry();
    all.set(object, entry);
  }
  return entry;
}

function addEntry(entry: LedgerEntry, more: LedgerEntry): void {
  addEvents(entry, more);
  noteSpan(entry, more);
}

const entryFrom = (
  { read, rejected, firstEventAt, lastEventAt }: ObjectTally,
  { inserted, expired, erased }: Readonly<Share> = NO_SHARE,
): LedgerEntry => ({
  read,
  inserted,
  rejected,
  duplicates: read - rejected - inserted - expired,
  expired,
  erased,
  firstEventAt,
  lastEventAt,
});

/**
 * What the ledger says of a version is what of it was put into the table, whichever load inserted it: rows that were lost
 * and came back with a reload count once, and rows that were pruned since still count.
 */
function ofVersion(entry: LedgerEntry, before: EventCounts | null): LedgerEntry {
  if (!before) return entry;
  const accepted = entry.read - entry.rejected;
  const inserted = Math.min(accepted, before.inserted + freshOf(entry, before));
  const expired = Math.min(accepted - inserted, entry.expired);
  const duplicates = accepted - inserted - expired;
  return { ...entry, inserted, expired, duplicates, erased: Math.min(entry.erased, duplicates) };
}

/** Of the rows a reload inserted, those that are no earlier ones come back: as many as it accepted more than before. */
const freshOf = ({ read, rejected, inserted }: EventCounts, before: EventCounts): number =>
  Math.min(inserted, Math.max(0, read - rejected - before.inserted - before.duplicates - before.expired));
