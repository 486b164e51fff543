import { expect } from "chai";
import { mapped, rejection } from "../../../testing/etl-lib/transform.js";

const nested = (levels: number, inner: unknown = {}): unknown =>
  levels <= 1 ? inner : { child: nested(levels - 1, inner) };

/** An event of exactly so many levels, the event itself being the first. */
const eventOf = (levels: number): object => ({ eventName: "x", child: nested(levels - 1) });

describe("what is rejected", () => {
  for (const [value, found] of [
    [null, "null"],
    [7, "a number"],
    [true, "a boolean"],
    ["page_view", "a string"],
    [[], "an array"],
    [[{ eventName: "x" }], "an array"],
  ] as const)
    it(`not_an_object: ${JSON.stringify(value)}`, () => {
      const { cause, detail } = rejection(value);
      expect(cause).to.equal("not_an_object");
      expect(detail).to.include(found);
    });

  for (const [what, event] of [
    ["absent", {}],
    ["null", { eventName: null, event_name: null }],
    ["empty", { eventName: "", event_name: "" }],
    ["a number", { eventName: 7 }],
    ["a boolean", { eventName: true }],
    ["an object", { eventName: { a: 1 } }],
    ["an array", { eventName: ["page_view"] }],
    ["nothing but U+0000", { eventName: "\0" }],
    ["of the prototype only", JSON.parse('{"__proto__":{"eventName":"x"}}') as object],
  ] as const)
    it(`missing_event_name: ${what}`, () => expect(rejection(event).cause).to.equal("missing_event_name"));

  it("not missing_event_name: when event_name makes up for an unusable eventName", () => {
    for (const eventName of [null, "", 7, {}, "\0"])
      expect(mapped({ eventName, event_name: "y" }).row.event_name).to.equal("y");
  });

  it("too_deep: 65 levels, but not 64", () => {
    expect(mapped(eventOf(64)).row.event_name).to.equal("x");
    expect(rejection(eventOf(65)).cause).to.equal("too_deep");
    expect(rejection(eventOf(66)).cause).to.equal("too_deep");
  });

  it("too_deep: arrays count as objects do", () => {
    const arrays = (levels: number): unknown => (levels === 0 ? 1 : [arrays(levels - 1)]);
    expect(mapped({ eventName: "x", a: arrays(63) }).row.event_name).to.equal("x");
    expect(rejection({ eventName: "x", a: arrays(64) }).cause).to.equal("too_deep");
  });

  it("too_deep: 100,000 levels, without an overflow of the stack", () => {
    const json = `{"eventName":"x","a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect(rejection(JSON.parse(json)).cause).to.equal("too_deep");
  });

  it("a sentence says what is wrong", () => {
    for (const value of [7, {}, eventOf(65)]) expect(rejection(value).detail).to.match(/\w+ \w+/);
  });
});
