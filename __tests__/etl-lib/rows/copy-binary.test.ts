import { expect } from "chai";
import fc from "fast-check";
import { copyIntoStage } from "../../../etl-lib/src/load/copy.js";
import { addRow } from "../../../etl-lib/src/rows/copy-row.js";
import { RowBuffer } from "../../../etl-lib/src/rows/row-buffer.js";
import type { EventRow } from "../../../etl-lib/src/types.js";
import { mapped } from "../../../testing/etl-lib/transform.js";
import { startPostgres, type TestDatabase } from "../../../testing/postgres.js";

/** What PostgreSQL makes of rows that come in its binary format, beside what it makes of the same values as text. */
describe("rows in the binary format", () => {
  let db: TestDatabase;

  before(async () => {
    db = await (await startPostgres()).createWarehouse();
  });

  /** The rows, one transaction, as text of every column. */
  async function stored(rows: readonly EventRow[]): Promise<Record<string, string | null>[]> {
    const buffer = new RowBuffer();
    for (const row of rows) addRow(buffer, row);
    const client = await db.pool.connect();
    try {
      await client.query("BEGIN");
      await copyIntoStage(client, buffer.all());
      const { rows: found } = await client.query(
        `SELECT event_id::text, to_char(event_timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS time,
           is_first_visit::text, context_product_price::text AS price, user_id FROM pg_temp.etl_stage`,
      );
      return found;
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  }

  const priced = (price: string, n = 0): EventRow => ({
    ...mapped({ eventName: "x", eventId: `priced ${n}` }).row,
    context_product_price: price,
  });

  it("hold the same prices, with the same number of decimals", async () => {
    const decimal = fc.oneof(
      fc.stringMatching(/^[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})$/),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    );
    const known = [
      "0",
      "-0",
      "0.00",
      "10000",
      "9999.9999",
      "1e+21",
      "5e-324",
      "1.7976931348623157e+308",
      "7.",
      ".5",
    ];
    const some = [...known, ...fc.sample(decimal, { numRuns: 2000, seed: 7 })];
    const { rows } = await db.pool.query("SELECT p::numeric::text AS price FROM unnest($1::text[]) AS p", [
      some,
    ]);
    expect((await stored(some.map(priced))).map(({ price }) => price)).to.deep.equal(
      rows.map(({ price }) => price),
    );
  });

  it("hold the same instants, flags and text", async () => {
    const row = {
      ...priced("1"),
      event_timestamp: new Date("1999-12-31T23:59:59.999Z"),
      user_id: "ệ🛒\t\\N\n",
    };
    const later = {
      ...row,
      event_id: "919108f7-52d1-4320-9bac-f847db4148a8",
      is_first_visit: true,
      user_id: "",
    };
    const found = await stored([row, { ...later, event_timestamp: new Date("2026-11-24T11:04:31.007Z") }]);
    expect(found.map(({ time, is_first_visit, user_id }) => [time, is_first_visit, user_id])).to.deep.equal([
      ["1999-12-31T23:59:59.999000", null, "ệ🛒\t\\N\n"],
      ["2026-11-24T11:04:31.007000", "true", ""],
    ]);
    expect(found[1]?.event_id).to.equal("919108f7-52d1-4320-9bac-f847db4148a8");
  });
});
