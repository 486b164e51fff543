import { expect } from "chai";
import { v5 as uuidv5 } from "uuid";
import { EVENT_ID_NAMESPACE } from "../../../etl-lib/src/transform/event-id.js";
import { mapped, ORIGIN } from "../../../testing/etl-lib/transform.js";

const idOf = (fields: object, position = 0) =>
  mapped({ eventName: "x", ...fields }, { ...ORIGIN, position }).row.event_id;
const derived = (name: string) => uuidv5(name, EVENT_ID_NAMESPACE);
const HERE = "raw/events/2025/12/06/05/event-1.json";

describe("event_id", () => {
  it("derives from a constant that never changes", () => {
    expect(EVENT_ID_NAMESPACE).to.equal("6f1d4b0e-4c59-5e0a-9b53-0d5e2f7a1c84");
    expect(idOf({ eventId: "1733461200000-9f3a1c2b" })).to.equal("1dd38bf0-47a3-5c6a-b668-b61716b6b966");
  });

  for (const [what, uuid] of [
    ["version 1", "c232ab00-9414-11ec-b3c8-9f6bdeced846"],
    ["version 3", "5df41881-3aed-3515-88a7-2f4a814cf09e"],
    ["version 4", "919108f7-52d1-4320-9bac-f847db4148a8"],
    ["version 5", "2ed6657d-e927-568b-95e1-2665a8aea6a2"],
    ["version 6", "1ec9414c-232a-6b00-b3c8-9f6bdeced846"],
    ["version 7", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"],
    ["version 8", "2489e9ad-2ee2-8e00-8ec9-32d5f69181c0"],
    ["the nil", "00000000-0000-0000-0000-000000000000"],
    ["the max", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    ["no known version or variant", "01234567-89ab-0def-0123-456789abcdef"],
  ] as const)
    it(`is a UUID of ${what} as it is`, () => expect(idOf({ eventId: uuid })).to.equal(uuid));

  it("is one UUID however its letters are written", () => {
    const uuid = "919108F7-52D1-4320-9BAC-F847DB4148A8";
    expect(idOf({ eventId: uuid })).to.equal(uuid.toLowerCase());
  });

  for (const [what, value] of [
    ["a browser's own id", "1733461200000-9f3a1c2b"],
    ["a UUID in braces", "{919108f7-52d1-4320-9bac-f847db4148a8}"],
    ["a UUID without hyphens", "919108f752d143209bacf847db4148a8"],
    ["a UUID with a space", " 919108f7-52d1-4320-9bac-f847db4148a8"],
    ["a UUID with a line feed behind it", "919108f7-52d1-4320-9bac-f847db4148a8\n"],
    ["a blank", " "],
    ["Vietnamese", "sự-kiện-1"],
    ["one with U+0000", "a\0b"],
    ["a long text", "x".repeat(100_000)],
  ] as const)
    it(`is the UUIDv5 of ${what}`, () => expect(idOf({ eventId: value })).to.equal(derived(value)));

  it("is the UUIDv5 of a number's text", () => {
    expect(idOf({ eventId: 42 })).to.equal(derived("42"));
    expect(idOf({ eventId: 0 })).to.equal(derived("0"));
    expect(idOf({ eventId: -1.5 })).to.equal(derived("-1.5"));
  });

  it("takes a lone surrogate for U+FFFD, as every text", () => {
    expect(idOf({ eventId: "a\ud800" })).to.equal(derived("a\ufffd"));
  });

  it("takes eventId before event_id, and passes over what is null, empty or neither text nor number", () => {
    expect(idOf({ eventId: "a", event_id: "b" })).to.equal(derived("a"));
    for (const unusable of [null, "", true, {}, ["a"]])
      expect(idOf({ eventId: unusable, event_id: "b" })).to.equal(derived("b"));
    expect(idOf({ event_id: "b" })).to.equal(derived("b"));
  });

  it("is the UUIDv5 of bucket/key#position when there is none", () => {
    for (const fields of [{}, { eventId: null }, { eventId: "", event_id: "" }, { eventId: {} }]) {
      expect(idOf(fields)).to.equal(derived(`${HERE}#0`));
      expect(idOf(fields, 7)).to.equal(derived(`${HERE}#7`));
    }
  });
});
