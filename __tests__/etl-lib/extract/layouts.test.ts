import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { type Expected, gzipMembers, read, readRecords, value } from "../../../testing/etl-lib/records.js";

const ONE = { eventName: "product_view", product: { name: "Áo “thun” \\ [x] {y}, 🛒", price: 1.5e3 } };
const TWO = { eventName: "click", element: { dataset: { k: "v]},\n\r\t" }, list: [[], {}, "", null, true] } };
const THREE = { eventName: "logout" };
const ALL = [ONE, TWO, THREE];

/** The layouts of docs/input-contract.md, by how they write events; `eol` ends a line. */
const LAYOUTS: { readonly [name: string]: { text: (eol: string) => string; records: readonly unknown[] } } = {
  "one event, compact": { text: () => JSON.stringify(ONE), records: [ONE] },
  "one event with a line feed behind it": { text: (eol) => JSON.stringify(ONE) + eol, records: [ONE] },
  "one event, printed over lines": { text: (eol) => printed(ONE, eol), records: [ONE] },
  "an array": { text: () => JSON.stringify(ALL), records: ALL },
  "an array of one": { text: () => JSON.stringify([TWO]), records: [TWO] },
  "an array, printed over lines": { text: (eol) => printed(ALL, eol) + eol, records: ALL },
  "an array, an event a line": {
    text: (eol) => `[${eol}${ALL.map((event) => JSON.stringify(event)).join(`,${eol}`)}${eol}]${eol}`,
    records: ALL,
  },
  "an empty array": { text: (eol) => `[ ]${eol}`, records: [] },
  NDJSON: { text: (eol) => ALL.map((event) => JSON.stringify(event) + eol).join(""), records: ALL },
  "NDJSON without its last line feed": {
    text: (eol) => ALL.map((event) => JSON.stringify(event)).join(eol),
    records: ALL,
  },
  "NDJSON with blank lines": {
    text: (eol) => eol + ALL.map((event) => `${JSON.stringify(event)}${eol}  ${eol}`).join(eol),
    records: ALL,
  },
  "values one after another": {
    text: () => ALL.map((event) => JSON.stringify(event)).join(""),
    records: ALL,
  },
  "values one after another, with spaces": {
    text: () => `  ${ALL.map((event) => JSON.stringify(event)).join(" \t ")} `,
    records: ALL,
  },
  "values one after another, each printed over lines": {
    text: (eol) => ALL.map((event) => printed(event, eol)).join(eol),
    records: ALL,
  },
  "several values on a line of NDJSON": {
    text: (eol) => `${JSON.stringify(ONE)}${eol}${JSON.stringify(TWO)}${JSON.stringify(THREE)}${eol}`,
    records: ALL,
  },
  nothing: { text: () => "", records: [] },
  "white space": { text: (eol) => ` \t${eol}${eol}`, records: [] },
};

const ENCODINGS: { readonly [name: string]: (bytes: Buffer) => Uint8Array } = {
  plain: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  "gzip of several members": (bytes) => gzipMembers(bytes, 3),
};

const BOM = "\ufeff";
const CHUNK_SIZES = [1, 7, 64 * 1024];

const printed = (json: unknown, eol: string): string => JSON.stringify(json, null, 2).replaceAll("\n", eol);

describe("every layout of the input contract", () => {
  for (const [layout, { text, records }] of Object.entries(LAYOUTS))
    for (const [encoding, encode] of Object.entries(ENCODINGS))
      it(`${layout}, ${encoding}: with or without byte-order mark, LF or CRLF, in chunks of any size`, async () => {
        const expected: Expected[] = records.map(value);
        for (const mark of ["", BOM])
          for (const eol of ["\n", "\r\n"])
            for (const size of CHUNK_SIZES) {
              const bytes = encode(Buffer.from(mark + text(eol)));
              expect(
                await read(bytes, size),
                `${mark && "BOM, "}${JSON.stringify(eol)}, ${size}`,
              ).to.deep.equal(expected);
            }
      });

  describe("scalars and arrays among them", () => {
    for (const [what, text, records] of [
      ["a number alone", "7", [7]],
      ["a text alone", ' "page_view" ', ["page_view"]],
      ["null alone", "null\n", [null]],
      ["an array in an array", "[[1],[]]", [[1], []]],
      ["arrays one after another are no containers", '[{"a":1}][{"b":2}]', [[{ a: 1 }], [{ b: 2 }]]],
      ["an array and an event", '[{"a":1}]\n{"b":2}\n', [[{ a: 1 }], { b: 2 }]],
      ["an array and a number", "[1] 2", [[1], 2]],
      ["an array and true, without a space", "[1]true", [[1], true]],
      ["an event and an array", '{"b":2}[{"a":1}]', [{ b: 2 }, [{ a: 1 }]]],
      ["an array on a line of NDJSON", '{"a":1}\n[{"b":2}]\n{"c":3}\n', [{ a: 1 }, [{ b: 2 }], { c: 3 }]],
      ["scalars on lines of NDJSON", '{"a":1}\n7\n"x"\nnull\n', [{ a: 1 }, 7, "x", null]],
      [
        "scalars and events without a space",
        '"a"{"x":1}1{"y":2}null[3]"b""c"',
        ["a", { x: 1 }, 1, { y: 2 }, null, [3], "b", "c"],
      ],
      ["numbers of every form", "[0, -0.5, 1e3, 2E-2 ,12]", [0, -0.5, 1000, 0.02, 12]],
      ["numbers one after another", "0 -0.5\n1e3 12", [0, -0.5, 1000, 12]],
    ] as const)
      it(what, async () => {
        for (const size of CHUNK_SIZES)
          expect(await read(text, size), `in chunks of ${size}`).to.deep.equal(records.map(value));
      });
  });

  it("is recognised by its bytes alone: text that begins like gzip is not taken for text", async () => {
    expect(await read(Buffer.from([0x1f]))).to.have.length(1);
    expect(await read(gzipSync(gzipSync("{}")))).to.have.length(1); // compressed twice: not JSON
  });

  it("reads an event whose text is not UTF-8, with U+FFFD where it is not", async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}')]);
    for (const size of CHUNK_SIZES)
      expect(await read(bytes, size)).to.deep.equal([value({ a: "\ufffd\ufffd" })]);
  });

  it("keeps the text of each record as it was written, for quarantine", async () => {
    const texts = [
      '{"a": 1,\t"b":[ 1.50, "]},[" ]}',
      "7.00",
      '"\\u00e9\\"\\\\"',
      "[[ ], {} ]",
      "{}",
      "null",
      "1e400",
      '{"a":1,"a":2}',
    ];
    for (const [layout, text] of [
      ["an array", `[${texts.join(" , ")}]`],
      ["an array over lines", ` [\r\n${texts.join(",\r\n")}\r\n]\r\n`],
      ["an array with a fault", `[${texts.join(",")},oops`],
      ["NDJSON", `{"first":1}\n${texts.join("\n")}\n`],
      ["values", `{"first":1} ${texts.join(" ")}`],
    ] as const) {
      const raws = (await readRecords(text)).flatMap((record) => (record.reject ? [] : [record.raw()]));
      expect(raws.slice(-texts.length), layout).to.deep.equal(texts);
    }
    const [alone] = await readRecords(' {"a": 1.0}\n');
    expect(alone && !alone.reject && alone.raw()).to.equal('{"a": 1.0}');
  });
});
