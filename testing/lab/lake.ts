import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { directoryLake, type LakeStore } from "etl-lib";

/** A lake in a folder of its own, and DuckDB to read it as a stranger would. */
export interface TestLake {
  readonly folder: string;
  readonly store: LakeStore;
  /** Rows of a query, in which `lake` is the table. */
  rows(sql: string): Promise<Record<string, unknown>[]>;
  /** Paths of all files, whatever they are. */
  files(): string[];
  remove(): void;
}

export async function openLake(): Promise<TestLake> {
  const folder = mkdtempSync(join(tmpdir(), "test-lake-"));
  const duckdb = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
  await duckdb.run("SET TimeZone = 'Asia/Ho_Chi_Minh'"); // any but UTC
  return {
    folder,
    store: directoryLake(folder),
    rows: (sql) =>
      rowsOf(duckdb, `WITH lake AS (FROM read_parquet('${folder}/clickstream_events/**/*.parquet')) ${sql}`),
    files: () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
        .sort(),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

async function rowsOf(duckdb: DuckDBConnection, sql: string): Promise<Record<string, unknown>[]> {
  return (await duckdb.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[];
}
