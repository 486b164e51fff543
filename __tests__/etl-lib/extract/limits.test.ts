import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { extractRecords } from "../../../etl-lib/src/extract/records.js";
import { causes, inChunks, read, readRecords } from "../../../testing/etl-lib/records.js";

const MIB = 1024 * 1024;
const RAW = 64 * 1024;

/** An event of exactly so many bytes of JSON, of characters of one, two, three or four bytes. */
function eventOf(bytes: number, fill = "x"): string {
  const frame = '{"eventName":"click","p":"","q":""}';
  const room = bytes - frame.length;
  const count = Math.floor(room / Buffer.byteLength(fill));
  const rest = "-".repeat(room - count * Buffer.byteLength(fill));
  return frame.replace('"p":""', `"p":"${fill.repeat(count)}"`).replace('"q":""', `"q":"${rest}"`);
}

const small = '{"a":1}';
/** Where an event may lie: what stands around it, with `count` small events. */
const PLACES: readonly [place: string, around: (event: string) => string, small: number][] = [
  ["alone", (event) => event, 0],
  ["alone, with a line feed", (event) => `${event}\r\n`, 0],
  ["first of an array", (event) => `[${event},${small}]`, 1],
  ["within an array", (event) => `[${small},${event},${small}]`, 2],
  ["in an array printed over lines", (event) => `[\r\n  ${small},\r\n  ${event}\r\n]\r\n`, 1],
  ["first of NDJSON", (event) => `${event}\n${small}\n${small}\n`, 2],
  ["within NDJSON", (event) => `${small}\n${event}\n${small}\n`, 2],
  ["within NDJSON with CRLF", (event) => `${small}\r\n${event}\r\n${small}\r\n`, 2],
  ["among values", (event) => `${small}${event}${small}`, 2],
  ["among values with spaces", (event) => `${small}  ${event}\n\n ${small}`, 2],
];

describe("the limit of 1 MiB for an event", () => {
  for (const [place, around, others] of PLACES)
    for (const [characters, fill] of [
      ["ASCII", "x"],
      ["Vietnamese", "ệ"],
    ] as const)
      it(`${place}, ${characters}: exactly 1 MiB is an event, a byte more is too_large`, async () => {
        const exact = eventOf(MIB, fill);
        expect(Buffer.byteLength(exact)).to.equal(MIB);
        const fits = causes(await read(around(exact)));
        expect(fits).to.have.length(others + 1);
        expect(fits.filter((record) => typeof record === "string")).to.deep.equal([]);
        expect(fits).to.deep.include(JSON.parse(exact) as object);

        const over = causes(await read(around(eventOf(MIB + 1, fill))));
        expect(over.filter((record) => record === "too_large")).to.have.length(1);
        expect(over.filter((record) => typeof record === "object")).to.have.length(others);
      });

  it("is of the event, not of the white space between events", async () => {
    const space = " ".repeat(1.5 * MIB);
    for (const text of [
      `${small}${space}${small}${small}`,
      `[${small},${space}${small}${space},${small}]`,
      `${space}${small}${small}${small}`,
    ])
      expect(causes(await read(text))).to.deep.equal([{ a: 1 }, { a: 1 }, { a: 1 }]);
  });

  it("costs that line of NDJSON alone, also when it is the first and a bad line follows", async () => {
    const large = eventOf(2 * MIB);
    for (const end of ["\n", ""])
      expect(causes(await read(`${large}\n${small}\nbad\n${small}${end}`))).to.deep.equal([
        "too_large",
        { a: 1 },
        "invalid_json",
        { a: 1 },
      ]);
    // Not NDJSON: no line of its own follows.
    expect(causes(await read(`${large}${small}${small}\n`))).to.deep.equal(["too_large", { a: 1 }, { a: 1 }]);
    expect(causes(await read(`${large}\n${small}${small}`))).to.deep.equal(["too_large", { a: 1 }, { a: 1 }]);
    expect(causes(await read(large))).to.deep.equal(["too_large"]);
  });

  for (const [what, line] of [
    ["no JSON at all", "x".repeat(1.5 * MIB)],
    ["a text", `"${"x".repeat(1.5 * MIB)}"`],
    ["an array", `[${"1,".repeat(0.75 * MIB)}1]`],
    ["an event behind a space", ` ${eventOf(1.5 * MIB)}`],
    ["a number", "7".repeat(1.5 * MIB)],
    ["one of several bad ones", `${"x".repeat(0.6 * MIB)}\n${"y".repeat(0.6 * MIB)}`],
    ["a bad one below many blank ones", `${"\n".repeat(1.2 * MIB)}x`],
  ] as const)
    it(`costs that line of NDJSON alone when the first is ${what}`, async () => {
      for (const content of [
        `${line}\n${small}\nbad\n${small}`,
        gzipSync(`${line}\n${small}\nbad\n${small}`),
      ])
        expect(causes(await read(content)).slice(-3)).to.deep.equal([{ a: 1 }, "invalid_json", { a: 1 }]);
    });

  it("costs no line of an array printed over lines, however long the first is", async () => {
    const records = causes(await read(`[${eventOf(1.5 * MIB)},\n${small}\n,\n${small}\n]`));
    expect(records).to.deep.equal(["too_large", { a: 1 }, { a: 1 }]);
  });

  it("keeps at most 64 KiB of the text, from its beginning", async () => {
    for (const [, around] of PLACES.slice(3, 9)) {
      const [rejected] = (await readRecords(around(eventOf(MIB + 1)))).filter(({ reject }) => reject);
      expect(rejected?.reject?.raw).to.equal(eventOf(MIB + 1).slice(0, RAW));
    }
  });

  it("holds for a text and a number, which are no events either", async () => {
    expect(causes(await read(`[1,"${"x".repeat(2 * MIB)}",2]`))).to.deep.equal([1, "too_large", 2]);
    expect(causes(await read(`[1,${"7".repeat(2 * MIB)},2]`))).to.deep.equal([1, "too_large", 2]);
  });

  it("is met by an event that never ends", async () => {
    expect(causes(await read(`${small}${eventOf(2 * MIB).slice(0, -1)}`))).to.deep.equal([
      { a: 1 },
      "too_large",
    ]);
  });
});

describe("the limit of 64 levels", () => {
  /** An event of exactly so many levels; the last ones are arrays. */
  const eventWith = (levels: number) =>
    `{"eventName":"x","a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
  /** In objects that are read value by value too, which one that is valid as a whole is not. */
  const fault = (text: string) => [text, `${text} oops`];

  for (const [layout, around, index, count] of [
    ["alone", (event: string) => event, 0, 1],
    ["in an array", (event: string) => `[${small},${event},${small}]`, 1, 3],
    ["among values", (event: string) => `${small}${event}${small}`, 1, 3],
    ["in NDJSON", (event: string) => `${small}\n${event}\n${small}`, 1, 3],
  ] as const)
    it(`${layout}: 64 are read, of 65 the rest loads`, async () => {
      for (const text of fault(around(eventWith(64))))
        expect(causes(await read(text))[index]).to.deep.equal(JSON.parse(eventWith(64)));
      for (const text of fault(around(eventWith(65)))) {
        const records = causes(await read(text));
        // Read by itself the event is a value that transform rejects; read among others it is not even parsed.
        expect([JSON.parse(eventWith(65)), "too_deep"]).to.deep.include(records[index]);
        expect(records).to.have.length.within(count, count + 1);
        if (count > 1) expect(records.slice(0, 3)).to.deep.include.members([{ a: 1 }]);
      }
    });

  it("does not count the array that contains the events", async () => {
    const records = causes(await read(`[${eventWith(64)},${eventWith(64)},oops`));
    expect(records.map((record) => typeof record)).to.deep.equal(["object", "object", "string"]);
  });

  for (const [what, text] of [
    ["10 MB of arrays", "[".repeat(10_000_000)],
    ["objects", '{"a":'.repeat(300_000)],
    ["arrays that end", `${"[".repeat(800_000)}${"]".repeat(800_000)}`],
    ["objects in NDJSON", `${small}\n${'{"a":'.repeat(150_000)}\n${small}\n`],
  ] as const)
    it(`is met without an overflow of the stack: ${what}`, async () => {
      const records = causes(await read(text));
      expect(records.filter((record) => typeof record === "string")).to.have.length(1);
    });

  it("lets what follows deep nesting load", async () => {
    const deep = `${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}`;
    for (const text of [`${deep}${small}`, `[${deep},${small}]`])
      expect(causes(await read(text)).map((record) => JSON.stringify(record))).to.deep.equal([
        '"too_deep"',
        small,
      ]);
  });
});

describe("memory", () => {
  const PIECE = Buffer.alloc(64 * 1024, "x");
  const PIECES = 800; // 50 MiB

  async function* around(head: string, tail: string): AsyncGenerator<Uint8Array> {
    yield Buffer.from(head);
    for (let piece = 0; piece < PIECES; piece++) yield PIECE;
    yield Buffer.from(tail);
  }
  const compressed = gzipSync(
    Buffer.concat([Buffer.from('{"a":"'), ...Array(PIECES).fill(PIECE), Buffer.from('"}')]),
    {
      level: 1,
    },
  );

  /** By how much the heap grew at most while the source was read, garbage included. */
  async function growth(open: () => AsyncIterable<Uint8Array>): Promise<{ records: number; bytes: number }> {
    const before = process.memoryUsage().heapUsed;
    let [records, peak] = [0, before];
    for await (const group of extractRecords(open)) {
      records += group.length;
      peak = Math.max(peak, process.memoryUsage().heapUsed);
    }
    return { records, bytes: peak - before };
  }

  for (const [what, open, records] of [
    ["a line", () => around('{"a":"', '"}\n{"b":1}\n'), 2],
    ["a text in an array", () => around('[{"a":"', '"},{"b":1}]'), 2],
    ["gzip that inflates", () => inChunks(compressed), 1],
  ] as const)
    it(`is not used up by 50 MiB: ${what}`, async () => {
      const grown = await growth(open);
      expect(grown.records).to.equal(records);
      // About 5 MiB are held; the rest of the bound is garbage that is still to be collected.
      expect(grown.bytes).to.be.below(40 * MIB);
    });
});
