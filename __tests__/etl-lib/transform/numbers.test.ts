import { expect } from "chai";
import fc from "fast-check";
import { extractRecords } from "../../../etl-lib/src/extract/records.js";
import { RecordTransform } from "../../../etl-lib/src/transform/transform-records.js";
import type { EventRow, SourceObject } from "../../../etl-lib/src/types.js";
import { inChunks } from "../../../testing/etl-lib/records.js";

const OBJECT: SourceObject = {
  bucket: "raw",
  key: "events/2025/12/06/05/a.json",
  etag: "v",
  size: 1,
  lastModified: new Date("2025-12-06T06:00:00Z"),
};

async function rowsOf(text: string): Promise<EventRow[]> {
  const transform = new RecordTransform(OBJECT);
  const rows: EventRow[] = [];
  for await (const records of extractRecords(() => inChunks(Buffer.from(text))))
    rows.push(...transform.apply(records, false).rows);
  return rows;
}
const event = (fields: string) => `{"eventName":"click",${fields}}`;
/** One event in every layout: alone, in an array, in NDJSON, among values. */
const layouts = (one: string) => [one, `[{},${one}]`, `{}\n${one}\n`, `{} ${one} [`];

describe("a number", () => {
  it("is an id by the text it has in the file", async () => {
    const ids = [
      "1733461200000123456",
      "1733461200000123457",
      "1733461200000123500",
      "1e400",
      "2e400",
      "1",
      "1.0",
    ];
    const rows = await rowsOf(ids.map((id) => event(`"eventId":${id}`)).join("\n"));
    expect(new Set(rows.map(({ event_id }) => event_id)).size).to.equal(ids.length);
    const [asText] = await rowsOf(event('"eventId":"1733461200000123456"'));
    expect(rows[0]?.event_id).to.equal(asText?.event_id);
  });

  it("becomes the text it has in the file, in every layout", async () => {
    for (const number of ["9007199254740993", "1e400", "-0", "1.50", "12345678901234567890123", "7", "0.1"])
      for (const text of layouts(event(`"userId":${number}, "product": {"id" : ${number}}`)))
        expect((await rowsOf(text)).map((row) => [row.user_id, row.context_product_id])).to.deep.equal([
          [number, number],
        ]);
  });

  it("is a price to its last digit, where it is finite", async () => {
    for (const [number, price] of [
      ["9007199254740993", "9007199254740993"],
      ["19.990000000000000001", "19.990000000000000001"],
      [`${"9".repeat(300)}.5`, `${"9".repeat(300)}.5`],
      ["18990000", "18990000"],
      ["1e400", null],
    ])
      expect((await rowsOf(event(`"product":{"price":${number}}`)))[0]?.context_product_price).to.equal(
        price,
      );
  });

  it("is never mistaken for a text, nor a text for one", async () => {
    const tricky = '\\\\\\" : 1.50, 1e5 \\u0041 9007199254740993';
    const [row] = await rowsOf(event(`"userId":1e5,"clientId":"${tricky}","sessionId":"9007199254740993"`));
    expect(row).to.include({
      user_id: "1e5",
      client_id: JSON.parse(`"${tricky}"`),
      session_id: "9007199254740993",
    });
  });

  it("of any form keeps its text", () => {
    const digits = fc.stringMatching(/^(0|[1-9]\d{0,30})$/);
    const number = fc
      .tuple(
        fc.constantFrom("", "-"),
        digits,
        fc.option(fc.stringMatching(/^\.\d{1,25}$/), { nil: "" }),
        fc.option(fc.stringMatching(/^[eE][+-]?\d{1,4}$/), { nil: "" }),
      )
      .map((parts) => parts.join(""));
    return fc.assert(
      fc.asyncProperty(number, fc.string(), async (text, other) => {
        const [row] = await rowsOf(event(`"pageUrl":${JSON.stringify(other)},"userId":${text}`));
        expect(row?.user_id).to.equal(text);
      }),
      { numRuns: 300 },
    );
  });
});
