import { expect } from "chai";
import fc from "fast-check";
import { RepairLog } from "../../../etl-lib/src/transform/repair.js";
import { transformEvent } from "../../../etl-lib/src/transform/transform.js";
import { EVENT_COLUMNS, REJECT_CAUSES, REPAIR_CAUSES } from "../../../etl-lib/src/types.js";
import { anyEvent, anyJson, anyText } from "../../../testing/etl-lib/arbitraries.js";
import { LAST_MODIFIED, ORIGIN } from "../../../testing/etl-lib/transform.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What PostgreSQL's numeric takes: at most 131,072 digits before the point and 16,383 behind it. */
const NUMERIC = /^[+-]?(\d+(\.\d*)?|\.\d+)(e([+-]?\d+))?$/;
const DAY = 24 * 60 * 60 * 1000;

const holds: { readonly [type: string]: (value: unknown) => void } = {
  uuid: (value) => expect(value).to.be.a("string").and.to.match(UUID),
  timestamptz(value) {
    expect(value).to.be.an.instanceOf(Date);
    const time = (value as Date).getTime();
    expect(time)
      .to.be.at.least(Date.UTC(2000, 0, 1))
      .and.at.most(LAST_MODIFIED.getTime() + DAY);
    expect(Number.isInteger(time)).to.equal(true);
  },
  text(value) {
    if (value === null) return;
    expect(value).to.be.a("string");
    const text = value as string;
    expect(text).to.not.include("\0");
    expect(text.isWellFormed(), "well-formed").to.equal(true);
    expect([...text].length).to.be.at.most(4096);
  },
  boolean: (value) => expect(value).to.be.oneOf([true, false, null]),
  numeric(value) {
    if (value === null) return;
    expect(value).to.be.a("string");
    const exponent = Number(NUMERIC.exec(value as string)?.[4] ?? 0);
    expect(value).to.match(NUMERIC);
    expect((value as string).length).to.be.below(100);
    expect(Math.abs(exponent)).to.be.below(400);
  },
};

const typeOf = (column: string): string =>
  ({
    event_id: "uuid",
    event_timestamp: "timestamptz",
    is_first_visit: "boolean",
    context_product_price: "numeric",
    context_product_discount_price: "numeric",
  })[column] ?? "text";

function check(value: unknown): void {
  const log = new RepairLog();
  const { row, reject } = transformEvent(value, ORIGIN, log);
  if (reject) {
    expect(row).to.equal(undefined);
    expect(REJECT_CAUSES).to.include(reject.cause);
    expect(reject.detail).to.not.equal("");
    return;
  }
  expect(Object.keys(row)).to.deep.equal([...EVENT_COLUMNS]);
  for (const column of EVENT_COLUMNS) holds[typeOf(column)]?.(row[column]);
  expect(row.event_name).to.be.a("string").and.not.to.equal("");
  for (const causes of Object.values(log.warnings))
    for (const [cause, count] of Object.entries(causes)) {
      expect(REPAIR_CAUSES).to.include(cause);
      expect(count).to.be.greaterThan(0);
    }
}

const idOf = (event: unknown, origin = ORIGIN) =>
  transformEvent(event, origin, new RepairLog()).row?.event_id as string;

describe("transform, whatever comes", () => {
  it("makes of any JSON value a row that the table takes, or a reject", () => {
    fc.assert(fc.property(anyJson, check), { numRuns: 200 });
  });

  it("makes of anything like an event a row that the table takes, or a reject", () => {
    fc.assert(fc.property(anyEvent, check), { numRuns: 400 });
  });

  it("makes of an event with a name a row, whatever else it holds", () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const { row } = transformEvent({ ...event, eventName: "click" }, ORIGIN, new RepairLog());
        expect(row?.event_name).to.equal("click");
      }),
    );
  });

  it("gives the same row for the same event", () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const replayed = JSON.parse(JSON.stringify(event)) as unknown;
        const first = transformEvent(JSON.parse(JSON.stringify(event)), ORIGIN, new RepairLog());
        expect(transformEvent(replayed, ORIGIN, new RepairLog())).to.deep.equal(first);
      }),
    );
  });

  it("leaves the event as it was", () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const before = JSON.stringify(event);
        transformEvent(event, ORIGIN, new RepairLog());
        expect(JSON.stringify(event)).to.equal(before);
      }),
    );
  });
});

describe("event_id, whatever comes", () => {
  const named = (eventId: unknown, rest: object = {}) => ({ eventName: "x", ...rest, eventId });
  const elsewhere = { object: { ...ORIGIN.object, bucket: "other", key: "moved.json" }, position: 9 };

  it("is the same wherever and however often an event with an id of its own is delivered", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText.filter((text) => text !== ""),
          fc.uuid(),
          fc.integer(),
        ),
        (id) => {
          expect(idOf(named(id), elsewhere)).to.equal(idOf(named(id)));
        },
      ),
    );
  });

  it("is the same in whatever order the keys come, and whatever else the event says", () => {
    fc.assert(
      fc.property(anyEvent, fc.uuid(), (event, id) => {
        const one = { ...event, eventName: "x", eventId: id };
        const reversed = Object.fromEntries(Object.entries(one).reverse());
        expect(idOf(reversed)).to.equal(idOf(one));
        expect(idOf(one)).to.equal(id);
      }),
    );
  });

  it("differs where the ids differ", () => {
    const id = fc.string({ minLength: 1, unit: "grapheme" });
    fc.assert(
      fc.property(id, id, (one, other) => {
        fc.pre(one !== other);
        expect(idOf(named(one))).to.not.equal(idOf(named(other)));
      }),
    );
  });

  it("differs by position and by key where the event has none", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (one, other) => {
        fc.pre(one !== other);
        const at = (position: number) => idOf({ eventName: "x" }, { ...ORIGIN, position });
        expect(at(one)).to.not.equal(at(other));
        expect(at(one)).to.equal(at(one));
      }),
    );
    expect(idOf({ eventName: "x" })).to.not.equal(idOf({ eventName: "x" }, elsewhere));
  });
});
