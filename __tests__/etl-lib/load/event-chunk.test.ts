import { expect } from "chai";
import fc from "fast-check";
import { EventChunk } from "../../../etl-lib/src/load/event-chunk.js";
import { LineBuffer } from "../../../etl-lib/src/load/line-buffer.js";
import { mapped } from "../support/transform.js";

const HOUR = 60 * 60 * 1000;
const rowOf = (eventId: string, event_timestamp = "2025-12-06T05:10:00Z") =>
  mapped({ eventName: "x", eventId, event_timestamp }).row;

describe("LineBuffer", () => {
  it("gives back each line and all of them, whatever their length and characters", () => {
    const line = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc
        .tuple(fc.constantFrom("x", "ệ", "🛒"), fc.nat({ max: 90_000 }))
        .map(([unit, count]) => unit.repeat(count)),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const buffer = new LineBuffer();
        for (const line of lines) buffer.push(line);
        expect(buffer.count).to.equal(lines.length);
        lines.forEach((line, index) => {
          expect(buffer.line(index).toString() === line).to.equal(true);
        });
        expect(buffer.bytes.toString() === lines.join("")).to.equal(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe("EventChunk", () => {
  it("holds an event once, and counts it as a duplicate of the object it comes from again", () => {
    const chunk = new EventChunk();
    chunk.addRow(0, rowOf("a"));
    chunk.addRow(0, rowOf("b"));
    chunk.addRow(1, rowOf("a"));
    expect(chunk.lines.count).to.equal(2);
    expect(chunk.objectOfLine).to.deep.equal([0, 0]);
    expect(chunk.tallies.get(0)).to.deep.equal({ read: 2, rejected: 0, duplicates: 0 });
    expect(chunk.tallies.get(1)).to.deep.equal({ read: 1, rejected: 0, duplicates: 1 });
  });

  it("knows the UTC hours that its rows lie in", () => {
    const chunk = new EventChunk();
    for (const [id, time] of [
      ["a", "2025-12-06T04:59:59.999Z"],
      ["b", "2025-12-06T05:00:00.000Z"],
      ["c", "2025-12-06T05:59:59.999Z"],
    ] as const)
      chunk.addRow(0, rowOf(id, time));
    expect([...chunk.hours]).to.deep.equal([Date.UTC(2025, 11, 6, 4), Date.UTC(2025, 11, 6, 4) + HOUR]);
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
    expect(chunk.tallies.get(0)).to.deep.equal({ read: 2, rejected: 1, duplicates: 0 });
  });
});
