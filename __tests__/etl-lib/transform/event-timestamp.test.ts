import { expect } from "chai";
import { LAST_MODIFIED, mapped, ORIGIN } from "../../../testing/etl-lib/transform.js";

const at = (event: object, lastModified = LAST_MODIFIED) => {
  const origin = { ...ORIGIN, object: { ...ORIGIN.object, lastModified } };
  const { row, warnings } = mapped({ eventName: "x", ...event }, origin);
  return { time: row.event_timestamp.toISOString(), unusable: warnings.event_timestamp?.unusable ?? 0 };
};
const OTHERWISE = LAST_MODIFIED.toISOString();

describe("event_timestamp", () => {
  describe("is the first that is usable", () => {
    const all = {
      _ingest: { receivedAt: "2025-12-06T01:00:00Z" },
      event_timestamp: "2025-12-06T02:00:00Z",
      eventTimestamp: "2025-12-06T03:00:00Z",
    };
    for (const [what, event, hour, unusable] of [
      ["_ingest.receivedAt", all, "01", 0],
      ["event_timestamp, when _ingest is absent", { ...all, _ingest: null }, "02", 0],
      ["event_timestamp, when _ingest is not an object", { ...all, _ingest: "x" }, "02", 0],
      ["event_timestamp, when receivedAt is null", { ...all, _ingest: { receivedAt: null } }, "02", 0],
      ["event_timestamp, when receivedAt does not parse", { ...all, _ingest: { receivedAt: "x" } }, "02", 1],
      ["eventTimestamp", { eventTimestamp: all.eventTimestamp }, "03", 0],
      ["eventTimestamp, when event_timestamp is {}", { ...all, _ingest: {}, event_timestamp: {} }, "03", 1],
      ["LastModified", {}, "05", 0],
      ["LastModified, when nothing parses", { event_timestamp: "", eventTimestamp: true }, "05", 2],
    ] as const)
      it(what, () => {
        const { time, unusable: warned } = at(event);
        expect(time.slice(11, 13)).to.equal(hour);
        expect(warned).to.equal(unusable);
      });
  });

  describe("reads", () => {
    for (const [given, expected] of [
      ["2025-12-06T05:00:00.000Z", "2025-12-06T05:00:00.000Z"],
      ["2025-12-06T05:00:00Z", "2025-12-06T05:00:00.000Z"],
      ["2025-12-06T05:00Z", "2025-12-06T05:00:00.000Z"],
      ["2025-12-06T12:00:00+07:00", "2025-12-06T05:00:00.000Z"],
      ["2025-12-06T12:00:00+0700", "2025-12-06T05:00:00.000Z"],
      ["2025-12-06T12:00:00+07", "2025-12-06T05:00:00.000Z"],
      ["2025-12-05T23:30:00-05:30", "2025-12-06T05:00:00.000Z"],
      ["2025-12-06T05:00:00.123456789Z", "2025-12-06T05:00:00.123Z"],
      ["2025-12-06T05:00:00,5Z", "2025-12-06T05:00:00.500Z"],
      ["2025-12-06T05:00:00", "2025-12-06T05:00:00.000Z"],
      ["2025-12-06 05:00:00", "2025-12-06T05:00:00.000Z"],
      ["2025-12-06 05:00:00+00", "2025-12-06T05:00:00.000Z"],
      ["2025-12-06t05:00:00z", "2025-12-06T05:00:00.000Z"],
      [" 2025-12-06T05:00:00Z ", "2025-12-06T05:00:00.000Z"],
      ["2025-12-06", "2025-12-06T00:00:00.000Z"],
      ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
      [1764997200, "2025-12-06T05:00:00.000Z"],
      [1764997200.5, "2025-12-06T05:00:00.500Z"],
      [1764997200000, "2025-12-06T05:00:00.000Z"],
      ["1764997200", "2025-12-06T05:00:00.000Z"],
      ["1764997200000", "2025-12-06T05:00:00.000Z"],
    ] as const)
      it(`${JSON.stringify(given)} as ${expected}`, () => {
        expect(at({ event_timestamp: given })).to.deep.equal({ time: expected, unusable: 0 });
      });

    it("a time without an offset as UTC, wherever the machine stands", () => {
      const zone = process.env.TZ;
      process.env.TZ = "Asia/Ho_Chi_Minh";
      try {
        expect(at({ event_timestamp: "2025-12-06T05:00:00" }).time).to.equal("2025-12-06T05:00:00.000Z");
      } finally {
        if (zone === undefined) delete process.env.TZ;
        else process.env.TZ = zone;
      }
    });
  });

  describe("is not", () => {
    for (const given of [
      "",
      "yesterday",
      "06/12/2025",
      "2025-02-30T00:00:00Z",
      "2025-02-31",
      "2025-02-29T00:00:00.000Z",
      "2025-04-31T00:00:00.000Z",
      "2025-00-10T00:00:00.000Z",
      "2025-13-01T00:00:00.000Z",
      "2025-12-00T00:00:00.000Z",
      "2025-12-06T25:00:00Z",
      "2025-12-05T24:00:00Z",
      "2025-12-05T24:00:00.000Z",
      "2025-12-06T05:60:00Z",
      "2025-12-06T05:00:00+25:00",
      "2025-12-06T05:00:00Zulu",
      "Sat, 06 Dec 2025 05:00:00 GMT",
      "0x693",
      "1e9",
      "-1764997200",
      -1764997200,
      0,
      1e300,
      Number.POSITIVE_INFINITY, // JSON.parse makes it of 1e400
      true,
      {},
      [1764997200],
      ["2025-12-06T05:00:00Z"],
    ])
      it(`${JSON.stringify(given)}: LastModified, and a warning`, () => {
        expect(at({ event_timestamp: given })).to.deep.equal({ time: OTHERWISE, unusable: 1 });
      });
  });

  describe("lies within", () => {
    const late = (millis: number) => new Date(LAST_MODIFIED.getTime() + 24 * 60 * 60 * 1000 + millis);
    for (const [what, given, isUsable] of [
      ["2000-01-01, the first", "2000-01-01T00:00:00.000Z", true],
      ["a millisecond before 2000-01-01", "1999-12-31T23:59:59.999Z", false],
      ["2000-01-01 in seconds", 946684800, true],
      ["the second before 2000-01-01", 946684799, false],
      ["2000-01-01 in milliseconds", 946684800000, true],
      ["the millisecond before 2000-01-01", 946684799999, false],
      ["2000-01-01 in a zone where it is still 1999 in UTC", "2000-01-01T00:00:00+07:00", false],
      ["24 h after LastModified", late(0).toISOString(), true],
      ["24 h and a millisecond after LastModified", late(1).toISOString(), false],
      ["24 h after LastModified in milliseconds", late(0).getTime(), true],
      ["24 h and a millisecond after, in milliseconds", late(1).getTime(), false],
    ] as const)
      it(`${what}: ${isUsable ? "usable" : "not usable"}`, () => {
        const { time, unusable } = at({ event_timestamp: given });
        expect(time === OTHERWISE).to.equal(!isUsable);
        expect(unusable).to.equal(isUsable ? 0 : 1);
      });
  });
});
