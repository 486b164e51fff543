import { expect } from "chai";
import fc from "fast-check";
import { copyLine } from "../../../etl-lib/src/load/copy-line.js";
import { RepairLog } from "../../../etl-lib/src/transform/repair.js";
import { transformEvent } from "../../../etl-lib/src/transform/transform.js";
import { EVENT_COLUMNS, type EventRow } from "../../../etl-lib/src/types.js";
import { anyEvent, anyText } from "../support/arbitraries.js";
import { decodeCopyText } from "../support/copy-text.js";
import { mapped, ORIGIN } from "../support/transform.js";

const encoded = (row: EventRow): (string | null)[] =>
  EVENT_COLUMNS.map((column) => {
    const value = row[column];
    return value === null ? null : value instanceof Date ? value.toISOString() : String(value);
  });

const roundTrips = (rows: readonly EventRow[]) =>
  expect(decodeCopyText(rows.map(copyLine).join(""))).to.deep.equal(rows.map(encoded));

describe("copyLine", () => {
  it("writes the 16 columns in their order, NULL as \\N, with a line feed", () => {
    const { row } = mapped({
      eventName: "product_view",
      eventId: "919108f7-52d1-4320-9bac-f847db4148a8",
      isFirstVisit: false,
      product: { price: 18990000 },
    });
    const nulls = (count: number) => Array(count).fill("\\N").join("\t");
    expect(copyLine(row)).to.equal(
      "919108f7-52d1-4320-9bac-f847db4148a8\t2025-12-06T05:00:01.000Z\tproduct_view\t" +
        `${nulls(5)}\tfalse\t${nulls(4)}\t18990000\t${nulls(2)}\n`,
    );
  });

  for (const text of [
    "\\N",
    "\\.",
    "\\",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "a\\tb",
    "\b\f\v",
    "",
    "NULL",
    "\\\\.\n",
    "🛒",
  ])
    it(`keeps ${JSON.stringify(text)} apart from what COPY reads as something else`, () => {
      roundTrips([mapped({ eventName: "x", userId: text, product: { urlPath: text } }).row]);
    });

  it("reads back as it was, whatever the text in any column", () => {
    const texts = fc.array(anyText, { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 4 }), (rows) => {
        roundTrips(
          rows.map(
            ([
              userId,
              userLoginState,
              identitySource,
              clientId,
              sessionId,
              id,
              name,
              category,
              brand,
              urlPath,
            ]) =>
              mapped({
                ...{ eventName: "x", userId, userLoginState, identitySource, clientId, sessionId },
                product: { id, name, category, brand, urlPath },
              }).row,
          ),
        );
      }),
    );
  });

  it("reads back as it was, whatever the event", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 5 }), (events) => {
        const rows = events.map((event) => transformEvent(event, ORIGIN, new RepairLog()).row);
        roundTrips(rows.filter((row) => row !== undefined));
      }),
    );
  });
});
