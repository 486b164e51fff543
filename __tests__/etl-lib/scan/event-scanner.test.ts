import { expect } from "chai";
import fc from "fast-check";
import { addRow } from "../../../etl-lib/src/load/copy-row.js";
import { RowBuffer } from "../../../etl-lib/src/load/row-buffer.js";
import { EventScanner } from "../../../etl-lib/src/scan/event-scanner.js";
import { RepairLog } from "../../../etl-lib/src/transform/repair.js";
import { transformEvent } from "../../../etl-lib/src/transform/transform.js";
import { anyEvent, plainEvent } from "../../../testing/etl-lib/arbitraries.js";
import { LAST_MODIFIED, mapped, ORIGIN } from "../../../testing/etl-lib/transform.js";

const scanner = new EventScanner();

/** The row that the scanner makes, or null when it leaves the event to the parser. */
function scanned(text: string | Buffer): Buffer | null {
  const bytes = Buffer.from(text);
  if (!scanner.scan(bytes, 0, bytes.length, LAST_MODIFIED)) return null;
  const rows = new RowBuffer();
  rows.push(scanner.write(rows));
  return Buffer.from(rows.all().bytes);
}

/** What the parser makes of it: the very same row, without a repair. */
function expectSame(text: string): void {
  const row = scanned(text);
  if (!row) return;
  const log = new RepairLog();
  const transformed = transformEvent(JSON.parse(text), { ...ORIGIN, text: () => text }, log);
  expect(log.warnings).to.deep.equal({});
  expect(transformed.reject).to.equal(undefined);
  const rows = new RowBuffer();
  if (transformed.row) addRow(rows, transformed.row);
  expect(row.equals(rows.all().bytes), text).to.equal(true);
}

const EVENT = {
  eventName: "product_view",
  eventId: "919108F7-52d1-4320-9bac-f847db4148a8",
  pageUrl: 'https://shop.example/"x"\\',
  userId: null,
  userLoginState: "anonymous",
  clientId: "Thêm 🛒",
  isFirstVisit: true,
  product: { id: "sku", name: "", price: 18990000, discountPrice: 0, other: [1, -2.5e-3, { deep: [null] }] },
  _ingest: { receivedAt: "2025-12-06T05:00:00.123Z", sourceIp: "203.0.113.9" },
};

describe("EventScanner", () => {
  it("takes what the publisher writes, in any order and with any white space", () => {
    const backwards = Object.fromEntries(Object.entries(EVENT).reverse());
    for (const text of [
      JSON.stringify(EVENT),
      JSON.stringify(backwards),
      JSON.stringify(EVENT, null, 2),
      `${JSON.stringify(EVENT, null, "\t").replaceAll("\n", "\r\n")}\r\n`,
    ]) {
      expect(scanned(text), text).to.not.equal(null);
      expectSame(text);
    }
  });

  it("takes what is plain, whatever the values", () => {
    fc.assert(
      fc.property(plainEvent, (event) => {
        const text = JSON.stringify(event);
        expect(scanned(text), text).to.not.equal(null);
        expectSame(text);
      }),
    );
  });

  it("takes an id that is no UUID, and prices with decimals, as they are written", () => {
    const written = JSON.stringify({ ...EVENT, eventId: "1733461200000-9f3a1c2b" });
    for (const price of [
      "0.5",
      "18.50",
      "18.00",
      "0.0",
      "0.000010",
      "1234567.8912345",
      "9999999999999.9",
      "12340000.5",
    ]) {
      const text = written.replace("18990000", price);
      expect(scanned(text), text).to.not.equal(null);
      expectSame(text);
    }
  });

  it("makes of any event that it takes what the parser makes of it", () => {
    fc.assert(fc.property(anyEvent, (event) => expectSame(JSON.stringify(event))));
    const mixed = fc.tuple(plainEvent, anyEvent, fc.boolean());
    fc.assert(
      fc.property(mixed, ([plain, any, last]) =>
        expectSame(JSON.stringify(last ? { ...plain, ...any } : { ...any, ...plain })),
      ),
      { numRuns: 500 },
    );
  });

  it("takes nothing that is not JSON, whatever is wrong with it", () => {
    const piece = fc.constantFrom(
      ...'{}[],:"\\0123456789.eE+-tfn \n\t\u0001',
      ...[
        "\\u12",
        "null",
        "true",
        "-0",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "00",
        '"a":1,',
        ",,",
        "\\x",
        "0.10",
        "1.0",
      ],
      ...['"eventId":7,', '"event_id":"x",', '"product":[],', '"price":1.50,', '"receivedAt":null,'],
    );
    const mutation = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat({ max: 3 }),
      piece,
    });
    fc.assert(
      fc.property(plainEvent, fc.array(mutation, { minLength: 1, maxLength: 3 }), (event, mutations) => {
        let text = JSON.stringify(event);
        for (const { at, cut, piece } of mutations) {
          const from = Math.floor(at * text.length);
          text = text.slice(0, from) + piece + text.slice(from + cut);
        }
        expectSame(text.toWellFormed());
      }),
      { numRuns: 3000 },
    );
  });

  for (const [why, change] of Object.entries({
    "no id": { eventId: null },
    "an empty id": { eventId: "" },
    "an id that is a number": { eventId: 1733461200000 },
    "an empty name": { eventName: "" },
    "another name of a field": { user_id: "u" },
    "a number as text": { userId: 7 },
    "a text as a boolean": { isFirstVisit: "true" },
    "a text that has an escape": { clientId: 'a"b' },
    "a text that may be too long": { clientId: "x".repeat(4097) },
    "a time later than its object by more than a day": {
      _ingest: { receivedAt: "2025-12-07T05:00:01.001Z" },
    },
    "a time before 2000": { _ingest: { receivedAt: "1999-12-31T23:59:59.999Z" } },
    "a day that is none": { _ingest: { receivedAt: "2025-11-31T05:00:00.000Z" } },
    "no time of its own": { _ingest: {} },
    "a product that is none": { product: "x" },
    "a price that is text": { product: { price: "1" } },
    "a price of too many digits": { product: { price: 1e15 } },
    "a price of too many decimals": { product: { price: 0.1 + 0.2 } },
    "a price below zero": { product: { price: -1 } },
  }))
    it(`leaves ${why} to the parser`, () => {
      expect(scanned(JSON.stringify({ ...EVENT, ...change }))).to.equal(null);
    });

  it("leaves what comes twice, what is nested deeply and what follows the event to the parser", () => {
    const text = JSON.stringify(EVENT);
    const without = text.slice(0, -1);
    for (const other of [
      `${without},"userId":"again"}`,
      `${without},"product":{}}`,
      `${without},"x":${"[".repeat(60)}${"]".repeat(60)}}`,
      `${text}${text}`,
      `${text},`,
      `${without},}`,
      `${without}`,
      `[${text}]`,
    ])
      expect(scanned(other), other).to.equal(null);
  });

  it("is one for many events: nothing of the one before is left", () => {
    const bare = { eventName: "x", eventId: EVENT.eventId, _ingest: EVENT._ingest };
    scanned(JSON.stringify(EVENT));
    const rows = new RowBuffer();
    addRow(rows, mapped(bare).row);
    expect(scanned(JSON.stringify(bare))?.equals(rows.all().bytes)).to.equal(true);
  });
});
