import { expect } from "chai";
import fc from "fast-check";
import { addRow } from "../../../etl-lib/src/rows/copy-row.js";
import { EventChunk } from "../../../etl-lib/src/rows/event-chunk.js";
import { RowBuffer } from "../../../etl-lib/src/rows/row-buffer.js";
import { decodeRows } from "../../../testing/etl-lib/copy-rows.js";
import { mapped } from "../../../testing/etl-lib/transform.js";

const HOUR = 60 * 60 * 1000;
const rowOf = (eventId: string, event_timestamp = "2025-12-06T05:10:00Z") =>
  mapped({ eventName: "x", eventId, event_timestamp }).row;

describe("RowBuffer", () => {
  const buffer = (ids: readonly string[]) => {
    const rows = new RowBuffer();
    for (const id of ids) addRow(rows, rowOf(id));
    return rows;
  };
  const ids = (bytes: Buffer) => decodeRows(bytes).map(([id]) => id);

  it("holds each event once, and finds it by its id", () => {
    fc.assert(
      fc.property(fc.array(fc.uuid(), { maxLength: 40 }), fc.nat(), (some, again) => {
        const once = [...new Set(some)];
        const rows = buffer([...some, ...some.slice(0, again)]);
        expect(ids(rows.all().bytes)).to.deep.equal(once);
        once.forEach((id, row) => {
          expect(rows.indexOf(id)).to.equal(row);
          expect(rows.id(row).toString("hex")).to.equal(id.replaceAll("-", ""));
        });
        expect(rows.indexOf("00000000-0000-0000-0000-000000000000")).to.equal(-1);
      }),
    );
  });

  it("holds many rows of any length", () => {
    const rows = new RowBuffer();
    const names = Array.from({ length: 3000 }, (_, n) => "ệ".repeat(n % 500) + n);
    for (const [n, eventName] of names.entries())
      expect(addRow(rows, mapped({ eventName, eventId: `id ${n}` }).row)).to.equal(true);
    for (const [n, eventName] of names.entries())
      expect(addRow(rows, mapped({ eventName, eventId: `id ${n}` }).row)).to.equal(false);
    expect(decodeRows(rows.all().bytes).map(([, , name]) => name)).to.deep.equal(names);
  });

  it("gives the rows that are asked for", () => {
    const some = ["a", "b", "c", "d"].map((name) => rowOf(name).event_id);
    const rows = buffer(some);
    const only = (kept: number[]) => rows.only(Uint8Array.from(kept));
    expect(ids(only([0, 1, 1, 0]).bytes)).to.deep.equal(some.slice(1, 3));
    expect(only([0, 1, 0, 1]).count).to.equal(2);
    expect(only([0, 0, 0, 0]).bytes).to.have.length(0);
    expect(ids(only([1, 1, 1, 1]).bytes)).to.deep.equal(some);
  });
});

describe("EventChunk", () => {
  it("holds an event once, and counts it as a duplicate of the object it comes from again", () => {
    const chunk = new EventChunk();
    chunk.addRow(0, rowOf("a"));
    chunk.addRow(0, rowOf("b"));
    chunk.addRow(1, rowOf("a"));
    expect(chunk.rows.count).to.equal(2);
    expect(chunk.objectOfRow).to.deep.equal([0, 0]);
    expect(chunk.tallies.get(0)).to.include({ read: 2, rejected: 0, duplicates: 0 });
    expect(chunk.tallies.get(1)).to.include({ read: 1, rejected: 0, duplicates: 1 });
  });

  it("knows the UTC hours that its rows lie in", () => {
    const chunk = new EventChunk();
    for (const [id, time] of [
      ["a", "2025-12-06T04:59:59.999Z"],
      ["b", "2025-12-06T05:00:00.000Z"],
      ["c", "2025-12-06T05:59:59.999Z"],
    ] as const)
      chunk.addRow(0, rowOf(id, time));
    expect([...new Set(chunk.hourOfRow)]).to.deep.equal([
      Date.UTC(2025, 11, 6, 4),
      Date.UTC(2025, 11, 6, 4) + HOUR,
    ]);
  });

  it("grows with rows and with rejects", () => {
    const chunk = new EventChunk();
    expect(chunk.size).to.equal(0);
    chunk.addRow(0, rowOf("a"));
    const withRow = chunk.size;
    expect(withRow).to.be.greaterThan(50);
    chunk.addReject(0, {
      position: 1,
      cause: "invalid_json",
      detail: "bad",
      raw: "x".repeat(1000),
      records: 1,
    });
    expect(chunk.size).to.be.at.least(withRow + 1000);
    expect(chunk.rejects).to.deep.equal([
      { object: 0, position: 1, cause: "invalid_json", detail: "bad", raw: "x".repeat(1000), records: 1 },
    ]);
    expect(chunk.tallies.get(0)).to.include({ read: 2, rejected: 1, duplicates: 0 });
  });
});
