import type { ContractSample } from "../contract/sample.js";
import { ExtractError } from "../errors.js";
import { type RecordsPiece, readObjects, type TakeEventOf } from "../extract/read-objects.js";
import type { RawRecord } from "../extract/records.js";
import { EventChunk } from "../rows/event-chunk.js";
import { DetailsScanner } from "../scan/details-scanner.js";
import { EventScanner } from "../scan/event-scanner.js";
import type { DetailsOptions } from "../transform/details.js";
import { RecordTransform } from "../transform/transform-records.js";
import type { Source, SourceObject } from "../types.js";
import { ReadHealth } from "./read-health.js";
import { TimeBudget } from "./time-budget.js";

export interface ReadOptions {
  /** Objects read at the same time. */
  readonly concurrency: number;
  /** Rows and rejects that end a chunk, give or take a slice of records. */
  readonly batchRows: number;
  /** Told what can be read; ends the reading in an outage. @default one that begins here */
  readonly health?: ReadHealth;
  /** Ends the reading when it is up, and breaks off what takes too long. @default as long as it takes */
  readonly time?: TimeBudget;
  /** Make what the rows leave out; null: they are all there is. @default null */
  readonly details?: DetailsOptions | null;
  /** Which events are held against the contract. @default none */
  readonly contract?: ContractSample | null;
  /** Nothing is behind these objects. @default false */
  readonly isLast?: boolean;
}

const MAX_CHUNK_BYTES = 1024 * 1024;

/** The way of events through the stages: the objects of a batch, in their order, become chunks ready to load. */
export async function* readChunks(
  source: Source,
  objects: readonly SourceObject[],
  {
    concurrency,
    batchRows,
    health = new ReadHealth(Date.now),
    time = new TimeBudget(Date.now, undefined),
    details = null,
    contract = null,
    isLast = false,
  }: ReadOptions,
): AsyncGenerator<EventChunk> {
  await contract?.prepare();
  const chunks = new Chunks(objects, batchRows, details, contract);
  const begin = (object: SourceObject) => time.begin(object, isLast);
  const pieces = readObjects(source, objects, concurrency, chunks.takeEventOf, begin);
  try {
    for (;;) {
      const next = await time.unlessUp(pieces.next());
      if (!next) chunks.breakOff();
      if (!next || next.done) break;
      const piece = next.value;
      if (piece.failure) chunks.fail(piece.index, piece.failure);
      else yield* chunks.add(piece);
      if (piece.failure) health.failed(piece.failure);
      else if (piece.isLast) health.read();
      // An object that is not at its end is broken off by itself, and then undone.
      if (health.isOutage || (time.isUp && (piece.failure || piece.isLast))) break;
    }
  } finally {
    // Also when the batch fails between two chunks: an object left open holds its connection, and the source's close up.
    void pieces.return(undefined).catch(() => undefined); // may be in the middle of a read that hangs
  }
  yield* chunks.end();
}

function look(contract: ContractSample, records: readonly RawRecord[]): void {
  for (const record of records) {
    const name = record.reject ? undefined : (record.value as { eventName?: unknown } | null)?.eventName;
    if (!record.reject && typeof name === "string" && name !== "")
      contract.look(
        name,
        () => record.raw().length,
        () => record.value,
      );
  }
}

/** Fills chunks so that an object that spans several shares none but its last one, and can be undone by itself. */
class Chunks {
  readonly #scanner: EventScanner;
  #chunk = new EventChunk();
  /** Of the object of which more is to come. */
  #open: { readonly index: number; readonly transform: RecordTransform } | undefined;

  constructor(
    private readonly objects: readonly SourceObject[],
    private readonly maxCount: number,
    private readonly details: DetailsOptions | null,
    private readonly contract: ContractSample | null,
  ) {
    this.#scanner = new EventScanner(details && new DetailsScanner(details));
  }

  /** An event that is plain to see goes straight from its bytes to its row. */
  readonly takeEventOf: TakeEventOf = (index) => {
    const { lastModified } = this.objects[index] as SourceObject;
    return (bytes, at, end) => {
      const isPlain = this.#scanner.scan(bytes, at, end, lastModified);
      if (!isPlain) return false;
      this.#chunk.addScanned(index, this.#scanner);
      this.contract?.look(
        this.#scanner.name,
        () => end - at,
        () => JSON.parse(new TextDecoder().decode(bytes.subarray(at, end))),
      );
      return true;
    };
  };

  *add({ index, records, isAtHand, isLast }: RecordsPiece): Generator<EventChunk> {
    if (!isAtHand && !this.#open) yield* this.end();
    const transform =
      this.#open?.transform ?? new RecordTransform(this.objects[index] as SourceObject, this.details);
    this.#open = isLast ? undefined : { index, transform };
    const transformed = transform.apply(records, isLast);
    this.#chunk.add(index, transformed);
    if (this.contract) look(this.contract, records);
    if (this.#chunk.count >= this.maxCount || this.#chunk.size >= MAX_CHUNK_BYTES) yield this.#take();
  }

  fail(index: number, failure: ExtractError): void {
    if (this.#open) this.#chunk = new EventChunk(); // it held nothing else
    this.#open = undefined;
    this.#chunk.failures.set(index, failure);
  }

  /** The object at hand is not read to its end: what was written of it is taken back. */
  breakOff(): void {
    if (!this.#open) return;
    const { index } = this.#open;
    const { bucket, key } = this.objects[index] as SourceObject;
    const object = `${bucket}/${key}`;
    this.fail(index, new ExtractError("changed", `The time was up while ${key} was read.`, { object }));
  }

  *end(): Generator<EventChunk> {
    if (!this.#chunk.isEmpty) yield this.#take();
  }

  #take(): EventChunk {
    const chunk = this.#chunk;
    chunk.continues = this.#open?.index;
    this.#chunk = new EventChunk();
    return chunk;
  }
}
