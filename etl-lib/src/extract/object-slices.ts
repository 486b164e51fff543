import { InvalidGzipError, inflate, isGzip, peek } from "./decode.js";
import { rejectedAs } from "./draft.js";
import { isArrayAlone, PlainArray, startsArray } from "./plain-array.js";
import { PlainLines, startsNdjson, type TakeEvent, takesWhole } from "./plain-lines.js";
import { extractRecords, type RawRecord, readSmall } from "./records.js";

type Bytes = AsyncIterable<Uint8Array>;
type RecordSlices = AsyncGenerator<RecordSlice>;

export interface RecordSlice {
  readonly records: readonly RawRecord[];
  /** No more of the object follows. Of every object there is such a slice, even of one without a record. */
  readonly isLast: boolean;
}

const LAST: RecordSlice = { records: [], isLast: true };

/** A line behind which nothing tells NDJSON is left to `extractRecords`. */
const HEAD_BYTES = 64 * 1024;

/**
 * The records of an object that are left to be parsed, in slices; each comes at its place between the lines that `take`
 * took, so it has to be dealt with before the next one is asked for.
 * @param body the whole of it, if it is at hand
 * @param open its bytes; called again to look ahead in an array too large to hold
 */
export async function* objectSlices(
  body: Uint8Array | null,
  open: () => Bytes,
  take: TakeEvent,
): RecordSlices {
  if (!body || isGzip(body)) yield* streamed(open, take);
  else if (takesWhole(body, take)) yield LAST;
  else if (startsNdjson(withoutMark(body))) yield* plainSlices(new PlainLines(take), one(body));
  else if (await isArray(body, open)) yield* plainSlices(new PlainArray(take), one(body));
  else yield* parsedSlices(readSmall(body) ?? extractRecords(open));
}

async function* streamed(open: () => Bytes, take: TakeEvent): RecordSlices {
  const { head, all } = await peek(open(), HEAD_BYTES);
  if (isGzip(head)) yield* inflated(once(all, open), take);
  else if (startsNdjson(withoutMark(head))) yield* plainSlices(new PlainLines(take), all);
  else if (await isArray(head, open)) yield* plainSlices(new PlainArray(take), all);
  else yield* parsedSlices(extractRecords(once(all, open)));
}

async function* inflated(open: () => Bytes, take: TakeEvent): RecordSlices {
  const looked = await peek(inflate(open), HEAD_BYTES).catch((error) => {
    if (error instanceof InvalidGzipError) return null;
    throw error;
  });
  if (looked && startsNdjson(withoutMark(looked.head)))
    return yield* plainSlices(new PlainLines(take), looked.all);
  if (looked && (await isArray(looked.head, open)))
    return yield* plainSlices(new PlainArray(take), looked.all);
  await looked?.all.return?.(undefined);
  yield* parsedSlices(extractRecords(open));
}

/** One slice behind, to know which is the last. */
async function* parsedSlices(slices: Iterable<RawRecord[]> | AsyncIterable<RawRecord[]>): RecordSlices {
  let records: RawRecord[] | undefined;
  for await (const slice of slices) {
    if (records) yield { records, isLast: false };
    records = slice;
  }
  yield { records: records ?? [], isLast: true };
}

/** @param head an object's first bytes @param open all of them, to look ahead */
async function isArray(head: Uint8Array, open: () => Bytes): Promise<boolean> {
  const bytes = withoutMark(head);
  return startsArray(bytes) && isArrayAlone(unmarked(inflate(open)));
}

async function* plainSlices(plain: PlainLines | PlainArray, bytes: Bytes): RecordSlices {
  yield { records: [], isLast: false }; // the object is known before an event of it is taken
  for await (const records of unparsed(plain, bytes)) yield { records, isLast: false };
  yield LAST;
}

async function* unparsed(plain: PlainLines | PlainArray, bytes: Bytes): AsyncGenerator<RawRecord[]> {
  try {
    for await (const piece of unmarked(bytes)) yield* plain.feed(piece);
  } catch (error) {
    if (!(error instanceof InvalidGzipError)) throw error;
    yield* plain.fail(rejectedAs("invalid_gzip", error.message, plain.pending));
    return;
  }
  yield* plain.end();
}

/** Less a byte-order mark. */
async function* unmarked(bytes: Bytes): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const piece of (await peek(bytes, MARK.length)).all) {
    yield isFirst ? withoutMark(piece) : piece;
    isFirst = false;
  }
}

const MARK = Buffer.from("\ufeff");

/** @param bytes an object's first ones, three of them or more if it has as many */
const withoutMark = (bytes: Uint8Array): Uint8Array =>
  MARK.every((byte, index) => bytes[index] === byte) ? bytes.subarray(MARK.length) : bytes;

async function* one(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

/** `first` when it is opened first, `again` after that. */
function once(first: Bytes, open: () => Bytes): () => Bytes {
  let unread: Bytes | undefined = first;
  return () => {
    const bytes = unread ?? open();
    unread = undefined;
    return bytes;
  };
}
