import { existsSync } from "node:fs";
import { join } from "node:path";
import { LAKE_TABLE } from "etl-lib/lake-columns";
import { CommandError, UsageError } from "../shared/failure.js";
import type { Answer } from "./command.js";

/** The files of a folder as Athena shows them: the same table, `day` a date, times in UTC without a zone. */
export async function askDuckdb(folder: string, sql: string): Promise<Answer> {
  const place = join(folder, LAKE_TABLE);
  if (!existsSync(place))
    throw new UsageError(`There is no lake in ${folder}: \`lake export --to ${folder}\` writes one.`);
  const { DuckDBInstance } = await load();
  const duckdb = await (await DuckDBInstance.create(":memory:")).connect();
  await duckdb.run("SET TimeZone = 'UTC'");
  await duckdb.run(
    `CREATE VIEW ${LAKE_TABLE} AS SELECT * REPLACE (event_timestamp AT TIME ZONE 'UTC' AS event_timestamp)
     FROM read_parquet('${place.replaceAll("'", "''")}/**/*.parquet', hive_partitioning = true, hive_types = {'day': DATE})`,
  );
  try {
    const reader = await duckdb.runAndReadAll(sql);
    const rows = reader.getRows().map((row) => row.map((value) => (value === null ? null : String(value))));
    return { columns: reader.columnNames(), rows, scannedBytes: null };
  } catch (cause) {
    throw new CommandError(`The statement failed: ${(cause as Error).message.trim()}`, { cause });
  } finally {
    duckdb.closeSync();
  }
}

/** It is 70 MB of native code: a checkout has it, the published package does not bring it. */
async function load(): Promise<typeof import("@duckdb/node-api")> {
  try {
    return await import("@duckdb/node-api");
  } catch (cause) {
    throw new CommandError("A folder is read by DuckDB, which is not there: npm install @duckdb/node-api", {
      cause,
    });
  }
}
