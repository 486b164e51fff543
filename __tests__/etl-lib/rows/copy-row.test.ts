import { expect } from "chai";
import fc from "fast-check";
import { addRow } from "../../../etl-lib/src/rows/copy-row.js";
import { RowBuffer } from "../../../etl-lib/src/rows/row-buffer.js";
import { RepairLog } from "../../../etl-lib/src/transform/repair.js";
import { transformEvent } from "../../../etl-lib/src/transform/transform.js";
import { EVENT_COLUMNS, type EventRow } from "../../../etl-lib/src/types.js";
import { anyEvent, anyText } from "../../../testing/etl-lib/arbitraries.js";
import { decodeRows } from "../../../testing/etl-lib/copy-rows.js";
import { mapped, ORIGIN } from "../../../testing/etl-lib/transform.js";

const encoded = (row: EventRow): (string | null)[] =>
  EVENT_COLUMNS.map((column) => {
    const value = row[column];
    return value === null ? null : value instanceof Date ? value.toISOString() : String(value);
  });

function written(rows: readonly EventRow[]): (string | null)[][] {
  const buffer = new RowBuffer();
  const added = rows.filter((row) => addRow(buffer, row));
  expect(buffer.count).to.equal(added.length);
  return decodeRows(buffer.all().bytes);
}

const firstOfEach = (rows: readonly EventRow[]) =>
  rows.filter(({ event_id }, index) => rows.findIndex((row) => row.event_id === event_id) === index);

const roundTrips = (rows: readonly EventRow[]) =>
  expect(written(rows)).to.deep.equal(firstOfEach(rows).map(encoded));

describe("addRow", () => {
  it("writes the 16 columns in their order", () => {
    const { row } = mapped({
      eventName: "product_view",
      eventId: "919108f7-52d1-4320-9bac-f847db4148a8",
      isFirstVisit: false,
      product: { price: 18990000 },
    });
    expect(written([row])).to.deep.equal([
      [
        ...["919108f7-52d1-4320-9bac-f847db4148a8", "2025-12-06T05:00:01.000Z", "product_view"],
        ...[null, null, null, null, null, "false", null, null, null, null, "18990000", null, null],
      ],
    ]);
  });

  for (const time of [-62135596800000, -1, 0, 946684799999, 946684800000, 1764997201234, 8.64e15])
    it(`keeps the instant ${time}`, () => {
      roundTrips([{ ...mapped({ eventName: "x" }).row, event_timestamp: new Date(time) }]);
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
        // What PostgreSQL makes of a price is compared in copy-binary.test.ts.
        const none = { context_product_price: null, context_product_discount_price: null };
        roundTrips(rows.filter((row) => row !== undefined).map((row) => ({ ...row, ...none })));
      }),
    );
  });
});
