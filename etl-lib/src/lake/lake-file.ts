import { LakeError } from "../errors.js";
import { LAKE_TABLE } from "./columns.js";
import type { LineBatch } from "./copy-lines.js";
import { ParquetFile, ParquetUpload, ROW_GROUP } from "./parquet.js";
import { LakeRows, type LakeValue, linesOf, RowChecksum } from "./rows.js";
import type { LakeStore, StoredFile } from "./store.js";

/** What a file holds: of its rows, as COPY would send them. */
export interface Content {
  readonly rows: number;
  readonly checksum: string;
}

/** Readers take every file below a day for a part of it. */
export const fileKey = (day: string, part: number): string =>
  `${LAKE_TABLE}/day=${day}/part-${String(part).padStart(4, "0")}.parquet`;

/** Where a file is made: beside the table, so that no reader takes it for a part of it. */
const draftKey = (day: string, part: number): string =>
  `drafts/${day}-${String(part).padStart(4, "0")}.parquet`;

/**
 * Writes a file beside its place, reads it back, and puts it in its place when it is what was written. Whatever stops it,
 * the place holds the old file or the new one.
 * @param content decides whether the file is published, once it is known what it holds. @throws to leave the old one
 */
export async function replaceFile(
  store: LakeStore,
  { day, part }: { readonly day: string; readonly part: number },
  batches: AsyncIterable<LineBatch>,
  check: (content: Content) => void = () => undefined,
): Promise<Content & StoredFile & { readonly key: string }> {
  const [draft, key] = [draftKey(day, part), fileKey(day, part)];
  const written = await writeFile(store, draft, batches);
  try {
    check(written);
    await assertContent(store, draft, written);
    return { ...written, ...(await store.publish(draft, key)), key };
  } catch (error) {
    await store.remove(draft).catch(() => undefined);
    throw error;
  }
}

async function writeFile(store: LakeStore, key: string, batches: AsyncIterable<LineBatch>): Promise<Content> {
  const upload = await store.create(key);
  try {
    const [file, rows, checksum] = [new ParquetUpload(upload), new LakeRows(), new RowChecksum()];
    for await (const { bytes, lines } of batches) {
      checksum.update(bytes, lines.length);
      for (const line of lines) {
        rows.add(line);
        if (rows.count === ROW_GROUP) await file.write(rows.take());
      }
    }
    if (rows.count > 0) await file.write(rows.take());
    await file.close();
    return { rows: checksum.rows, checksum: checksum.digest() };
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

/** What lies there, by every value of every row. */
export async function readContent(store: LakeStore, key: string): Promise<Content> {
  const checksum = new RowChecksum();
  for await (const { bytes, lines } of fileLines(store, key)) checksum.update(bytes, lines.length);
  return { rows: checksum.rows, checksum: checksum.digest() };
}

/** @throws {LakeError} it holds something else */
async function assertContent(store: LakeStore, key: string, expected: Content): Promise<void> {
  const found = await readContent(store, key);
  if (found.rows === expected.rows && found.checksum === expected.checksum) return;
  throw new LakeError(
    "retriable",
    `${store.location}/${key} was not read back as it was written (${found.rows} rows of ${expected.rows}, or others): it is not published.`,
  );
}

const LINES_AT_ONCE = 2_000;

/** A file's rows as COPY would send them. @param isKept gets a row's values; false leaves it out */
export async function* fileLines(
  store: LakeStore,
  key: string,
  isKept?: (values: readonly LakeValue[]) => boolean,
): AsyncGenerator<LineBatch> {
  const file = await ParquetFile.open(await store.open(key));
  for await (const { columns, rows } of file.groups()) {
    let lines: string[] = [];
    let row = 0;
    for (const line of linesOf(columns, rows)) {
      const at = row++;
      if (isKept?.(columns.map((values) => values[at] ?? null)) ?? true) lines.push(line);
      if (lines.length < LINES_AT_ONCE) continue;
      yield batchOf(lines);
      lines = [];
    }
    if (lines.length > 0) yield batchOf(lines);
  }
}

export const batchOf = (lines: readonly string[]): LineBatch => ({
  bytes: Buffer.from(`${lines.join("\n")}\n`),
  lines,
});
