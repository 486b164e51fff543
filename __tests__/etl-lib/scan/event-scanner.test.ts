import { expect } from "chai";
import fc from "fast-check";
import { parseNumbersExactly } from "../../../etl-lib/src/extract/number-text.js";
import { EventChunk } from "../../../etl-lib/src/rows/event-chunk.js";
import { DetailsScanner } from "../../../etl-lib/src/scan/details-scanner.js";
import { EventScanner } from "../../../etl-lib/src/scan/event-scanner.js";
import type { DetailsOptions } from "../../../etl-lib/src/transform/details.js";
import { RecordTransform } from "../../../etl-lib/src/transform/transform-records.js";
import { DETAIL_COLUMNS } from "../../../etl-lib/src/types.js";
import { anyEvent, plainEvent } from "../../../testing/etl-lib/arbitraries.js";
import { decodeRows } from "../../../testing/etl-lib/copy-rows.js";
import { LAST_MODIFIED, ORIGIN } from "../../../testing/etl-lib/transform.js";

/** What is made of an event: its row, and its details. */
interface Made {
  readonly row: Buffer;
  readonly details: unknown;
}

const scanner = new EventScanner(new DetailsScanner({}));

/** What the scanner makes, or null when it leaves the event to the parser. */
function scanned(text: string | Buffer, by = scanner): Made | null {
  const bytes = Buffer.from(text);
  if (!by.scan(bytes, 0, bytes.length, LAST_MODIFIED)) return null;
  const chunk = new EventChunk();
  chunk.addScanned(0, by);
  return madeOf(chunk);
}

function parsed(text: string, options: DetailsOptions = {}): Made {
  const chunk = new EventChunk();
  const transform = new RecordTransform({ ...ORIGIN.object, etag: "1", size: 1 }, options);
  chunk.add(0, transform.apply([{ value: JSON.parse(text), raw: () => text, position: 0 }], true));
  expect(chunk.repairs.warnings).to.deep.equal({});
  expect(chunk.rejects).to.deep.equal([]);
  return madeOf(chunk);
}

function madeOf({ rows, details }: EventChunk): Made {
  const [columns] = decodeRows(Buffer.from(details.all().bytes), DETAIL_COLUMNS);
  const extras = columns?.pop() ?? null;
  return {
    row: Buffer.from(rows.all().bytes),
    details: [columns, extras && canonical(extras)],
  };
}

/** What jsonb makes of JSON: neither the order of members counts, nor white space; every digit of a number does. */
const canonical = (json: string): unknown => parseNumbersExactly(json) ?? JSON.parse(json);

/** What the parser makes of it: the very same, without a repair. */
function expectSame(text: string, options: DetailsOptions = {}): void {
  const made = scanned(text, options.keepIp ? new EventScanner(new DetailsScanner(options)) : scanner);
  if (!made) return;
  const wanted = parsed(text, options);
  expect(made.row.equals(wanted.row), text).to.equal(true);
  expect(made.details, text).to.deep.equal(wanted.details);
}

const EVENT = {
  eventName: "product_view",
  eventId: "919108F7-52d1-4320-9bac-f847db4148a8",
  pageUrl: "https://shop.example/x?utm_source=b%C3%A1o&utm_medium=&utm_medium=email#utm_campaign=no",
  referrer: "https://user@WWW.Example.com:8443/tìm?q=1",
  element: { tag: "button", text: 'a "quoted" text', dataset: { zip: "1" } },
  shippingAddress: [1.0, 0.5],
  userId: null,
  userLoginState: "anonymous",
  clientId: "Thêm 🛒",
  isFirstVisit: true,
  product: { id: "sku", name: "", price: 18990000, discountPrice: 0, other: [1, -2.5e-3, { deep: [null] }] },
  _ingest: {
    ...{ receivedAt: "2025-12-06T05:00:00.123Z", sourceIp: "203.0.113.9", method: "POST", stage: null },
    userAgent:
      'Mozilla/5.0 (X11; Linux x86_64) "AppleWebKit"/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
  },
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
        expectSame(text, { keepIp: true });
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
      ...[
        '"a":1e100,',
        '"a":"\\u0000",',
        '"a":{"clientIp":"::1"},',
        '"remote_addr":"203.0.113.9",',
        '"a":{"x":1.50},',
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
    "a page whose address has an escape": { pageUrl: 'https://shop.example/"x"' },
    "a referrer that is no text": { referrer: 7 },
    "a campaign that has to be repaired": { pageUrl: "https://shop.example/?utm_source=%00a" },
    "another name of a detail": { page_url: "https://shop.example/" },
    "an IP address further down": { element: { request: { "X-Forwarded-For": "203.0.113.9" } } },
    "a number that PostgreSQL would write out": { element: [1e300] },
    "more than the details keep": { note: "x".repeat(16 * 1024) },
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
    expect(scanned(JSON.stringify(bare))).to.not.equal(null);
    expectSame(JSON.stringify(bare));
  });
});
