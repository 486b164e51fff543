import { createReadStream, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import type pg from "pg";
import pgCopy from "pg-copy-streams";

/** Where a browser has no crypto.randomUUID, the id is none. */
const ID = "coalesce(try_cast(json->>'$.eventId' AS UUID), md5(json->>'$.eventId')::UUID)";
const COLUMNS = `_ingest.receivedAt eventName userId userLoginState identitySource clientId sessionId isFirstVisit
  product.id product.name product.category product.brand product.price product.discountPrice product.urlPath`;

/** What a user would write in an afternoon: no ledger, no repairs, no rejects, no rollups. @returns rows inserted */
export async function duckdbWay(pool: pg.Pool, folder: string): Promise<number> {
  const csv = join(folder, "rows.csv");
  const fields = [ID, ...COLUMNS.split(/\s+/).map((path) => `json->>'$.${path}'`)];
  const duckdb = await (await DuckDBInstance.create()).connect();
  await duckdb.run(
    `COPY (SELECT ${fields.join(", ")} FROM read_ndjson_objects('${folder}/**/*.ndjson')) TO '${csv}' (HEADER false)`,
  );
  const client = await pool.connect();
  await client.query("CREATE TEMP TABLE stage (LIKE public.clickstream_events)");
  await pipeline(createReadStream(csv), client.query(pgCopy.from("COPY stage FROM STDIN (FORMAT csv)")));
  const { rowCount } = await client.query(
    "INSERT INTO public.clickstream_events SELECT * FROM stage ON CONFLICT (event_id) DO NOTHING",
  );
  client.release();
  rmSync(csv);
  return rowCount ?? 0;
}
