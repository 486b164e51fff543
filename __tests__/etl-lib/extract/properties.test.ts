import { gzipSync } from "node:zlib";
import { expect } from "chai";
import fc from "fast-check";
import { extractRecords, readSmall } from "../../../etl-lib/src/extract/records.js";
import { REJECT_CAUSES } from "../../../etl-lib/src/types.js";
import { anyJson } from "../../../testing/etl-lib/arbitraries.js";
import { read, readRecords, value } from "../../../testing/etl-lib/records.js";

const anyObject = anyJson.map((json) => ({ json }));
/** Nothing, or an array of nothing, with the white space of JSON. */
const EMPTY = /^[ \t\r\n]*(\[[ \t\r\n]*\])?[ \t\r\n]*$/;

/** How values are written down; `eol` is LF or CRLF. Those that hold any value, and those that hold objects only. */
const WRITERS: { readonly [layout: string]: (values: readonly unknown[], eol: string) => string } = {
  array: (values) => JSON.stringify(values),
  "array over lines": (values, eol) => JSON.stringify(values, null, 2).replaceAll("\n", eol) + eol,
  "values with spaces": (values) => values.map((json) => JSON.stringify(json)).join(" "),
};
const OBJECT_WRITERS: typeof WRITERS = {
  NDJSON: (values, eol) => values.map((json) => JSON.stringify(json) + eol).join(""),
  "NDJSON without its last line feed": (values, eol) => values.map((json) => JSON.stringify(json)).join(eol),
  values: (values) => values.map((json) => JSON.stringify(json)).join(""),
  "values over lines": (values, eol) =>
    values.map((json) => JSON.stringify(json, null, 1).replaceAll("\n", eol)).join(eol),
};

const framing = fc.record({
  eol: fc.constantFrom("\n", "\r\n"),
  mark: fc.constantFrom("", "\ufeff"),
  compress: fc.boolean(),
});

/** Bytes cut anywhere. */
function cutAt(bytes: Uint8Array, cuts: readonly number[]): () => AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return async function* () {
    let from = 0;
    for (const to of [...places, bytes.length]) {
      yield bytes.subarray(from, to);
      from = to;
    }
  };
}

async function readCut(bytes: Uint8Array, cuts: readonly number[]) {
  const records: unknown[] = [];
  for await (const group of extractRecords(cutAt(bytes, cuts)))
    for (const { position, reject, ...record } of group) {
      expect(position).to.equal(records.length);
      records.push(reject ?? value((record as { value: unknown }).value));
    }
  return records;
}

function comesBack(
  values: readonly unknown[],
  text: string,
  how: { mark: string; compress: boolean },
  cuts: number[],
) {
  const plain = Buffer.from(how.mark + text);
  return readCut(how.compress ? gzipSync(plain) : plain, cuts).then((records) =>
    expect(records).to.deep.equal(values.map(value)),
  );
}

describe("extract, whatever is written", () => {
  const cuts = fc.array(fc.nat({ max: 100_000 }), { maxLength: 8 });

  for (const [layout, write] of Object.entries(WRITERS))
    it(`${layout}: any JSON values come back as they were, cut anywhere`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyJson, { maxLength: 6 }), framing, cuts, async (values, how, at) => {
          // One value that is an array is the container itself.
          fc.pre(layout !== "values with spaces" || values.length !== 1 || !Array.isArray(values[0]));
          await comesBack(values, write(values, how.eol), how, at);
        }),
        { numRuns: 30 },
      );
    });

  for (const [layout, write] of Object.entries(OBJECT_WRITERS))
    it(`${layout}: any JSON objects come back as they were, cut anywhere`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyObject, { maxLength: 6 }), framing, cuts, async (values, how, at) => {
          await comesBack(values, write(values, how.eol), how, at);
        }),
        { numRuns: 30 },
      );
    });

  it("reads a small object at hand as it reads any", () =>
    fc.assert(
      fc.asyncProperty(fc.array(anyJson, { maxLength: 4 }), async (values) => {
        const bytes = Buffer.from(JSON.stringify(values));
        const strip = (record: { position: number; value?: unknown }) => [record.position, record.value];
        const small = () => [...(readSmall(bytes) ?? [])].flat();
        expect(small().map(strip)).to.deep.equal((await readRecords(bytes)).map(strip));
        const raws = small().map((record) => (record.reject ? undefined : record.raw()));
        expect(raws).to.deep.equal(values.map((json) => JSON.stringify(json)));
      }),
      { numRuns: 30 },
    ));
});

describe("extract, whatever the bytes", () => {
  /** Text near to JSON, so that faults come at interesting places. */
  const nearJson = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          '"',
          "\\",
          "\n",
          "\r\n",
          " ",
          "1",
          "-",
          "e",
          "null",
          "tru",
          "\0",
        ),
        fc.constantFrom(
          '{"a":1}',
          '{"a":1}\n',
          '"b"',
          "[]",
          "[{}]",
          '{"a":{"b":[1,2]}}',
          "\ufeff",
          "\u2028",
          "é",
        ),
        fc.json({ maxDepth: 2 }),
      ),
      { maxLength: 12 },
    )
    .map((parts) => Buffer.from(parts.join("")));
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    nearJson,
    fc.tuple(nearJson, fc.nat({ max: 60 })).map(([bytes, keep]) => gzipSync(bytes).subarray(0, 2 + keep)),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), bytes])),
  );

  it("never throws, and never passes over an object that is not blank", () =>
    fc.assert(
      fc.asyncProperty(anyBytes, async (bytes) => {
        const records = await readRecords(bytes);
        for (const { reject } of records)
          if (reject) {
            expect(REJECT_CAUSES).to.include(reject.cause);
            expect(reject.detail).to.not.equal("");
          }
        const text = new TextDecoder().decode(bytes);
        if (bytes[0] === 0x1f && bytes[1] === 0x8b) return; // what is in it may be blank
        if (EMPTY.test(text)) expect(records).to.deep.equal([]);
        else if (!/^\s*(\[\s*\])?\s*$/.test(text)) expect(records).to.not.deep.equal([]);
      }),
      { numRuns: 250 },
    ));

  it("reads the same records however the bytes arrive", () =>
    fc.assert(
      fc.asyncProperty(anyBytes, fc.array(fc.nat({ max: 300 }), { maxLength: 6 }), async (bytes, cuts) => {
        const whole = await readCut(bytes, []);
        expect(await readCut(bytes, cuts)).to.deep.equal(whole);
      }),
      { numRuns: 250 },
    ));

  it("loses nothing that stands before a fault: every event is a record, or within the text of a reject", () => {
    const pieces = fc.array(
      fc.oneof(fc.nat({ max: 9 }), fc.constantFrom("oops", "{", "}", "]", ",", ":", "\n", " ")),
      {
        maxLength: 12,
      },
    );
    return fc.assert(
      fc.asyncProperty(pieces, fc.constantFrom("", "[", "\n"), async (parts, before) => {
        const text =
          before + parts.map((part) => (typeof part === "number" ? `{"n":${part}}` : part)).join("");
        const found = (await read(text))
          .map((record) => JSON.stringify(record).replaceAll("\\", ""))
          .join("\n");
        for (const part of parts)
          if (typeof part === "number") expect(found, text).to.include(`{"n":${part}}`);
      }),
      { numRuns: 300 },
    );
  });
});
