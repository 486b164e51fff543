import { type FileMetaData, parquetMetadataAsync, parquetRead, type SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { DECIMAL, LAKE_COLUMNS, type LakeKind } from "./columns.js";
import type { LakeValue } from "./rows.js";
import type { LakeFile, LakeUpload } from "./store.js";

/** Rows that are held, compressed and read at a time: fewer take less memory and CPU, for less of it outlives a collection. */
export const ROW_GROUP = 5_000;

const TYPES: { readonly [kind in LakeKind]: Omit<SchemaElement, "name"> } = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  time: { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" } },
  boolean: { type: "BOOLEAN" },
  decimal: {
    type: "INT64",
    converted_type: "DECIMAL",
    logical_type: { type: "DECIMAL", ...DECIMAL },
    ...DECIMAL,
  },
};

const SCHEMA: SchemaElement[] = [
  { name: "clickstream_events", num_children: LAKE_COLUMNS.length },
  ...LAKE_COLUMNS.map(
    ({ name, kind, required }): SchemaElement => ({
      ...TYPES[kind],
      name,
      repetition_type: required ? "REQUIRED" : "OPTIONAL",
    }),
  ),
];

/** A Parquet file on its way into a store, one row group after the other. */
export class ParquetUpload {
  readonly #bytes = new ByteWriter();
  readonly #writer = new ParquetWriter({
    writer: this.#bytes,
    schema: SCHEMA,
    createdBy: "clickstream etl-lib",
  });

  constructor(private readonly upload: LakeUpload) {}

  /** @param columns as many rows as a group has at most */
  async write(columns: readonly LakeValue[][]): Promise<void> {
    const columnData = LAKE_COLUMNS.map(({ name, kind }, at) => ({
      name,
      data: columns[at] as LakeValue[],
      statistics: kind === "time", // what rows are sorted by; of the others no group can be left out
      offsetIndex: false,
      ...(name === "event_id" && { encoding: "PLAIN" as const }), // nothing repeats
    }));
    await this.#writer.write({ columnData, rowGroupSize: ROW_GROUP });
    await this.#flush();
  }

  async close(): Promise<void> {
    await this.#writer.finish();
    await this.#flush();
    await this.upload.close();
  }

  async #flush(): Promise<void> {
    await this.upload.write(this.#bytes.getBytes().slice());
    (this.#bytes as unknown as { index: number }).index = 0; // as the library's own writer of files does it
  }
}

/** The values as they were written: no time becomes a Date, no decimal a float, no text loses a byte-order mark. */
const PARSERS = {
  timestampFromMicroseconds: (micros: bigint) => micros,
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
};

/** Values of a column as they are decoded: null, or undefined, where there is none. */
export type ReadColumn = ArrayLike<LakeValue | undefined>;

/** A Parquet file of a store. */
export class ParquetFile {
  private constructor(
    private readonly file: LakeFile,
    private readonly metadata: FileMetaData,
  ) {}

  static async open(file: LakeFile): Promise<ParquetFile> {
    const metadata = await parquetMetadataAsync(file);
    for (const element of metadata.schema)
      if (element.converted_type === "DECIMAL") delete element.converted_type;
    return new ParquetFile(file, metadata);
  }

  get rows(): number {
    return Number(this.metadata.num_rows);
  }

  /**
   * Row group after row group.
   * @param names of the columns to read. @default all of the lake's
   */
  async *groups(
    names: readonly string[] = LAKE_COLUMNS.map(({ name }) => name),
  ): AsyncGenerator<{ columns: ReadColumn[]; rows: number }> {
    let rowStart = 0;
    for (const group of this.metadata.row_groups) {
      const rows = Number(group.num_rows);
      yield { columns: await this.#read(names, rowStart, rowStart + rows), rows };
      rowStart += rows;
    }
  }

  async #read(names: readonly string[], rowStart: number, rowEnd: number): Promise<ReadColumn[]> {
    const parts = new Map<string, ReadColumn[]>(names.map((name) => [name, []]));
    await parquetRead({
      file: this.file,
      metadata: this.metadata,
      columns: [...names],
      rowStart,
      rowEnd,
      parsers: PARSERS,
      geoparquet: false,
      onChunk: ({ columnName, columnData }) => parts.get(columnName)?.push(columnData as never),
    });
    return names.map((name) => {
      const [first = [], ...others] = parts.get(name) ?? [];
      return others.length === 0 ? first : [first, ...others].flatMap((some) => Array.from(some));
    });
  }
}
