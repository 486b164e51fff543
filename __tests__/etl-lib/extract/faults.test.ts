import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { extractRecords } from "../../../etl-lib/src/extract/records.js";
import { causes, type Expected, inChunks, read, reject, value } from "../../../testing/etl-lib/records.js";

const [A, B, C] = [{ a: 1 }, { b: "é" }, { c: [3] }].map(value) as [Expected, Expected, Expected];
const [a, b, c] = ['{"a":1}', '{"b":"é"}', '{"c":[3]}'];
const CHUNK_SIZES = [1, 7, 64 * 1024];

/** Which records come of a text that is not JSON as a whole. */
const FAULTS: readonly [what: string, text: string, records: readonly Expected[]][] = [
  ["a bad line of NDJSON costs that line", `${a}\nbad\n${b}\n`, [A, reject("invalid_json", "bad"), B]],
  [
    "so does each of several",
    `x\n${a}\n{"b":\n${c}\n}`,
    [reject("invalid_json", "x"), A, reject("invalid_json", '{"b":'), C, reject("invalid_json", "}")],
  ],
  ["a truncated last line of NDJSON", `${a}\n${b}\n{"c":`, [A, B, reject("invalid_json", '{"c":')]],
  ["a line of an event and a fault", `${a}\n${b}x\n${c}`, [A, reject("invalid_json", `${b}x`), C]],
  ["a control character in a line", `${a}\n{"x":"\t"}\n${c}`, [A, reject("invalid_json", '{"x":"\t"}'), C]],
  [
    "NDJSON that begins with an array",
    `[1]\n${a}\nbad\n${c}\n`,
    [value([1]), A, reject("invalid_json", "bad"), C],
  ],
  ["an array that ends within an event", `[${a},${b},{"c":`, [A, B, reject("invalid_json", '{"c":')]],
  ["an array that ends behind an event", `[${a},${b}`, [A, B, reject("invalid_json", "")]],
  ["an array that ends behind a comma", `[${a},`, [A, reject("invalid_json", "")]],
  ["an array that ends at once", "[", [reject("invalid_json", "")]],
  ["a fault in an array", `[${a},${b},oops,${c}]`, [A, B, reject("invalid_json", `oops,${c}]`)]],
  ["an array without a comma", `[${a} ${b}]`, [A, reject("invalid_json", `${b}]`)]],
  ["an array with a comma too many", `[${a},]`, [A, reject("invalid_json", "]")]],
  ["an array with the wrong end", `[${a}}`, [A, reject("invalid_json", "}")]],
  ["an array with text behind it", `[${a},${b}] and more`, [A, B, reject("invalid_json", "and more")]],
  ["an array with nonsense behind it", `[${a}] nonsense`, [A, reject("invalid_json", "nonsense")]],
  ["an array with a second end", `[${a}]]`, [A, reject("invalid_json", "]")]],
  ["a fault between values", `${a}${b}oops${c}`, [A, B, reject("invalid_json", `oops${c}`)]],
  ["a comma between values", `${a},${b}`, [A, reject("invalid_json", `,${b}`)]],
  ["a fault within a value", `${a}{"b":oops}${c}`, [A, reject("invalid_json", `{"b":oops}${c}`)]],
  ["values that end within one", `${a}${b}{"c":[3`, [A, B, reject("invalid_json", '{"c":[3')]],
  ["values with an end too many", `${a}}${b}`, [A, reject("invalid_json", `}${b}`)]],
  ["an event that ends early", '{"a":', [reject("invalid_json", '{"a":')]],
  ["an event printed over lines that ends early", '{\n  "a": 1,\n', [reject("invalid_json", '{\n  "a": 1,')]],
  ["a text that does not end", '"abc', [reject("invalid_json", '"abc')]],
  ["half a word", "tru", [reject("invalid_json", "tru")]],
  ["half a number", "-", [reject("invalid_json", "-")]],
  ["what is no JSON at all", "<html>\n</html>", [reject("invalid_json", "<html>\n</html>")]],
  ["U+0000", "\0", [reject("invalid_json", "\0")]],
  ["a single quote", "{'a':1}", [reject("invalid_json", "{'a':1}")]],
];

describe("what is not JSON", () => {
  for (const [what, text, records] of FAULTS)
    it(what, async () => {
      for (const size of CHUNK_SIZES)
        expect(await read(text, size), `in chunks of ${size}`).to.deep.equal(records);
      for (const size of CHUNK_SIZES)
        expect(await read(gzipSync(text), size), `gzip, in chunks of ${size}`).to.deep.equal(records);
    });

  it("is one reject with a sentence that says what is wrong", async () => {
    for await (const group of extractRecords(() => inChunks(Buffer.from("{oops}"))))
      for (const record of group) expect(record.reject?.detail).to.match(/\w+ \w+/);
  });
});

describe("what is not gzip, though it begins so", () => {
  const LINES = Array.from(
    { length: 5000 },
    (_, n) => `{"n":${n},"noise":"${Math.imul(n, 2654435761) >>> 0}"}\n`,
  );
  const whole = gzipSync(LINES.join(""));
  const broken = (at: number): Buffer => {
    const bytes = Buffer.from(whole);
    bytes.fill(0xff, at, at + 16);
    return bytes;
  };
  const readAll = (bytes: Uint8Array) =>
    Promise.all(CHUNK_SIZES.map(async (size) => causes(await read(bytes, size === 1 ? 13 : size))));

  for (const [what, bytes] of [
    ["magic bytes alone", Buffer.from([0x1f, 0x8b])],
    ["magic bytes before text", Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from(a)])],
    ["a truncated header", whole.subarray(0, 5)],
    ["a broken start", broken(10)],
  ] as const)
    it(`${what}: one reject`, async () => {
      for (const records of await readAll(bytes)) expect(records).to.deep.equal(["invalid_gzip"]);
    });

  it("truncated: the lines before it load, the rest is one reject", async () => {
    for (const records of await readAll(whole.subarray(0, whole.length / 2))) {
      expect(records.length).to.be.within(1000, 4000);
      records.slice(0, -1).forEach((line, n) => {
        expect((line as { n: number }).n).to.equal(n);
      });
      expect(records.at(-1)).to.equal("invalid_gzip");
    }
  });

  it("broken in the middle: what stands well before it loads, the same however the bytes arrive", async () => {
    const [first, ...others] = await readAll(broken(Math.floor(whole.length / 2)));
    expect(first?.length).to.be.within(500, 4000);
    expect(first?.at(-1)).to.equal("invalid_gzip");
    for (const records of others) expect(records).to.deep.equal(first);
  });

  it("with a wrong checksum: never without a reject", async () => {
    const bytes = Buffer.from(whole);
    bytes[bytes.length - 8] = (bytes[bytes.length - 8] as number) ^ 0xff;
    for (const records of await readAll(bytes)) expect(records.at(-1)).to.equal("invalid_gzip");
  });

  it("with something behind it: never without a reject", async () => {
    for (const records of await readAll(Buffer.concat([whole, Buffer.from("garbage")])))
      expect(records.at(-1)).to.equal("invalid_gzip");
  });

  it("a broken second member: the first one's events load", async () => {
    const padding = gzipSync(Buffer.from(LINES.join("")));
    const bytes = Buffer.concat([padding, gzipSync("{}").fill(0xff, 4)]);
    for (const records of await readAll(bytes)) {
      expect(records.length).to.be.greaterThan(3000);
      expect(records.at(-1)).to.equal("invalid_gzip");
    }
  });

  for (const [what, rest] of [
    ["text", Buffer.from("garbage")],
    ["its magic bytes and text", Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from("garbage")])],
    ["padding and text", Buffer.concat([Buffer.alloc(5000), Buffer.from("garbage")])],
    ["padding and a member", Buffer.concat([Buffer.alloc(10), gzipSync(c)])],
  ] as const)
    it(`with ${what} behind it: all events of the member load, and a reject says so`, async () => {
      for (const records of await readAll(Buffer.concat([gzipSync(`${a}\n${b}\n`), rest])))
        expect(records).to.deep.equal([{ a: 1 }, { b: "é" }, "invalid_gzip"]);
    });

  it("of many small members, the last one broken: all before it load", async () => {
    const members = Array.from({ length: 500 }, (_, n) => gzipSync(`{"n":${n}}\n`));
    for (const records of await readAll(Buffer.concat([...members, gzipSync(`${a}\n`).fill(0xff, 12)]))) {
      expect(records).to.have.length(501);
      expect(records.at(-1)).to.equal("invalid_gzip");
    }
  });

  it("with zeros behind it: taken for the padding that it is", async () => {
    for (const records of await readAll(Buffer.concat([gzipSync(a), Buffer.alloc(512)])))
      expect(records).to.deep.equal([{ a: 1 }]);
  });
});

describe("a source that fails", () => {
  const failing = async function* (content: string | Buffer) {
    yield Buffer.from(content as Buffer);
    throw new Error("connection reset");
  };

  for (const [what, content] of [
    ["text", `${a}\n${b}\n`],
    ["an array", `[${a},`],
    ["gzip", gzipSync(`${a}\n`.repeat(1000)).subarray(0, 30)],
    ["the first byte", Buffer.from([0x1f])],
  ] as const)
    it(`within ${what} fails the reading, and is no reject`, async () => {
      const error = await (async () => {
        for await (const group of extractRecords(() => failing(content as Buffer)))
          expect(group.filter(({ reject }) => reject)).to.deep.equal([]);
      })().catch((error: Error) => error);
      expect((error as Error).message).to.equal("connection reset");
    });
});

describe("a reader that stops early", () => {
  const event = JSON.stringify({ eventName: "click", padding: "x".repeat(5000) });
  for (const [what, text] of [
    ["NDJSON", `${event}\n`.repeat(500)],
    ["an array", `[${Array(500).fill(event).join(",")}]`],
  ] as const)
    it(`lets go of the source: ${what}`, async () => {
      let open = 0;
      const source = async function* () {
        open++;
        try {
          yield* inChunks(Buffer.from(text));
        } finally {
          open--;
        }
      };
      for await (const _ of extractRecords(source)) break;
      expect(open).to.equal(0);
    });
});
