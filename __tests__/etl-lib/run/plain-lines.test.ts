import { gzipSync } from "node:zlib";
import { expect } from "chai";
import fc from "fast-check";
import { parseNumbersExactly } from "../../../etl-lib/src/extract/number-text.js";
import { extractRecords } from "../../../etl-lib/src/extract/records.js";
import { EventChunk } from "../../../etl-lib/src/rows/event-chunk.js";
import { readChunks } from "../../../etl-lib/src/run/read-chunks.js";
import { RecordTransform } from "../../../etl-lib/src/transform/transform-records.js";
import { DETAIL_COLUMNS, type Source, type SourceObject } from "../../../etl-lib/src/types.js";
import { anyEvent, plainEvent } from "../../../testing/etl-lib/arbitraries.js";
import { decodeRows } from "../../../testing/etl-lib/copy-rows.js";

const KEY = "events/2025/12/06/05/a.ndjson";
const object = (size: number): SourceObject => ({
  ...{ bucket: "raw", key: KEY, etag: "1", size },
  lastModified: new Date("2025-12-06T06:00:00Z"),
});

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

/** What is compared: every row in its order, the rejects, the counts and the repairs. */
const told = (chunks: readonly EventChunk[]) => {
  const chunk = new EventChunk();
  for (const { repairs } of chunks) chunk.repairs.merge(repairs.warnings);
  const sum = (of: "read" | "rejected") =>
    chunks.reduce((total, { tallies }) => total + (tallies.get(0)?.[of] ?? 0), 0);
  return {
    rows: Buffer.concat(chunks.map(({ rows }) => rows.all().bytes)).toString("hex"),
    details: decodeRows(Buffer.concat(chunks.map(({ details }) => details.all().bytes)), DETAIL_COLUMNS).map(
      (row) => row.map((field) => (field?.startsWith("{") ? parsedJson(field) : field)),
    ),
    rejects: chunks.flatMap(({ rejects }) => rejects),
    read: sum("read"),
    rejected: sum("rejected"),
    repairs: chunk.repairs.warnings,
    hours: [...new Set(chunks.flatMap(({ hourOfRow }) => hourOfRow))].sort(),
  };
};

const parsedJson = (text: string): unknown => {
  try {
    return parseNumbersExactly(text) ?? JSON.parse(text);
  } catch {
    return text; // some other column's
  }
};

/** The way of every other object: decoded, parsed, transformed. */
async function parsed(bytes: Uint8Array) {
  const chunk = new EventChunk();
  const transform = new RecordTransform(object(bytes.length), {});
  for await (const records of extractRecords(() => inPieces(bytes, 64 * 1024)))
    chunk.add(0, transform.apply(records, false));
  chunk.add(0, transform.apply([], true));
  return told([chunk]);
}

/** @param pieceSize bytes of a piece of a large object; null: it is at hand */
async function read(bytes: Uint8Array, pieceSize: number | null) {
  const source = { bucket: "raw", read: () => inPieces(bytes, pieceSize ?? bytes.length) };
  const size = pieceSize === null ? bytes.length : 2 * 1024 * 1024;
  const chunks: EventChunk[] = [];
  const options = { concurrency: 1, batchRows: 100_000, details: {} };
  for await (const chunk of readChunks(source as unknown as Source, [object(size)], options))
    chunks.push(chunk);
  return told(chunks);
}

async function expectSame(bytes: Uint8Array, pieceSize: number | null): Promise<void> {
  expect(await read(bytes, pieceSize)).to.deep.equal(await parsed(bytes));
}

const plain = JSON.stringify({
  ...{ eventName: "x", eventId: "919108f7-52d1-4320-9bac-f847db4148a8", clientId: "ệ" },
  _ingest: { receivedAt: "2025-12-06T05:00:00.123Z" },
});

describe("lines that are plain to see", () => {
  const line = fc.oneof(
    { weight: 6, arbitrary: plainEvent.map((event) => JSON.stringify(event)) },
    { weight: 2, arbitrary: anyEvent.map((event) => JSON.stringify(event)) },
    fc.constantFrom(
      "",
      " ",
      "{",
      "}",
      "null",
      "[1]",
      `${plain}${plain}`,
      `${plain} x`,
      ` ${plain} `,
      `${plain},`,
    ),
    fc.constantFrom('{"eventName":"no id"}', `[${plain}]`, "\ufeff", `${plain}\t`, plain),
  );

  it("become what the parser makes of them, whatever lies between them and however the bytes arrive", async () => {
    const file = fc.record({
      lines: fc.array(line, { maxLength: 12 }),
      end: fc.constantFrom("\n", "\r\n"),
      isEnded: fc.boolean(),
      mark: fc.constantFrom("", "\ufeff"),
      garbage: fc.option(
        fc.record({ at: fc.nat({ max: 3000 }), byte: fc.integer({ min: 0x80, max: 0xff }) }),
      ),
      gzip: fc.constantFrom(false, true, "cut" as const),
      pieceSize: fc.option(fc.integer({ min: 1, max: 2000 })),
    });
    await fc.assert(
      fc.asyncProperty(file, async ({ lines, end, isEnded, mark, garbage, gzip, pieceSize }) => {
        let bytes = Buffer.from(mark + lines.join(end) + (isEnded ? end : ""));
        if (garbage && bytes[garbage.at] !== undefined) bytes[garbage.at] = garbage.byte;
        if (gzip) bytes = gzipSync(bytes);
        if (gzip === "cut") bytes = bytes.subarray(0, Math.floor(bytes.length * 0.7));
        await expectSame(bytes, pieceSize);
      }),
      { numRuns: 400 },
    );
  });

  for (const [what, text] of Object.entries({
    "a line that is too long": `${plain}\n{"eventName":"${"x".repeat(1_200_000)}"}\n${plain.replace("9191", "9192")}\n`,
    "a long line at the end": `${plain}\n{"eventName":"${"y".repeat(700_000)}"}`,
    "many lines that are not": `${plain}\n${'{"eventName":"z","eventId":7}\n'.repeat(300)}${plain.replace("9191", "9192")}\n`,
    "a first line that is not, but JSON": `{"eventName":"z"}\n${plain}\n`,
    "one line alone": plain,
    "a value printed over several lines": JSON.stringify(JSON.parse(plain), null, 1),
  }))
    it(`become the same with ${what}`, async () => {
      for (const pieceSize of [null, 1000, 65_536]) await expectSame(Buffer.from(text), pieceSize);
    });

  it("keep the first of two that are one event, whether it is plain or not", async () => {
    const odd = JSON.stringify({ ...JSON.parse(plain), user_id: "odd" });
    for (const text of [`${odd}\n${plain}\n`, `${plain}\n${odd}\n${plain}\n`])
      await expectSame(Buffer.from(text), null);
  });
});

describe("elements of an array that are plain to see", () => {
  const element = fc.oneof(
    { weight: 8, arbitrary: plainEvent.map((event) => JSON.stringify(event)) },
    { weight: 2, arbitrary: anyEvent.map((event) => JSON.stringify(event)) },
    fc.constantFrom(
      ` ${plain}\n`,
      JSON.stringify(JSON.parse(plain), null, 1),
      '{"eventName":"no id"}',
      plain,
    ),
  );
  const odd = fc.constantFrom(
    ...["", " ", "{", "}", "null", "7", '"x"', "[1]", `[${plain}]`, `${plain}${plain}`, `${plain} x`],
    ...[`${plain}:`, "{]", '{"a":}', `{"a":${"[".repeat(70)}${"]".repeat(70)}}`, "\u00a0", "]", "],["],
  );

  it("become what the parser makes of them, whatever stands between them and however the bytes arrive", async () => {
    const file = fc.record({
      elements: fc.array(element, { maxLength: 12 }),
      odd: fc.option(fc.record({ at: fc.nat({ max: 12 }), text: odd })),
      space: fc.constantFrom("", "\n", " \r\n\t"),
      behind: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom("]", "]\n", " ] ") },
        fc.constantFrom("", "}", "] x", `]\n${plain}`, "][]", "],", `]${plain}\n${plain}\n`),
      ),
      mark: fc.constantFrom("", "\ufeff", " ", "\n"),
      garbage: fc.option(
        fc.record({ at: fc.nat({ max: 3000 }), byte: fc.integer({ min: 0x80, max: 0xff }) }),
      ),
      gzip: fc.constantFrom(false, true, "cut" as const),
      pieceSize: fc.option(fc.integer({ min: 1, max: 2000 })),
    });
    await fc.assert(
      fc.asyncProperty(file, async ({ elements, odd, space, behind, mark, garbage, gzip, pieceSize }) => {
        const all = odd ? elements.toSpliced(odd.at, 0, odd.text) : elements;
        let bytes = Buffer.from(`${mark}[${all.join(`${space},`)}${behind}`);
        if (garbage && bytes[garbage.at] !== undefined) bytes[garbage.at] = garbage.byte;
        if (gzip) bytes = gzipSync(bytes);
        if (gzip === "cut") bytes = bytes.subarray(0, Math.floor(bytes.length * 0.7));
        await expectSame(bytes, pieceSize);
      }),
      { numRuns: 600 },
    );
  });

  for (const [what, elements] of Object.entries({
    "an element that is too long": [plain, `{"eventName":"${"x".repeat(1_200_000)}"}`, plain],
    "a long element": [plain, `{"eventName":"${"y".repeat(700_000)}"}`, plain.replace("9191", "9192")],
    "many elements that are not": [...Array(300).fill('{"eventName":"z","eventId":7}'), plain],
    "a value that is no object among them": [plain, "7", plain.replace("9191", "9192")],
  }))
    it(`become the same with ${what}`, async () => {
      for (const pieceSize of [null, 1000, 65_536])
        await expectSame(Buffer.from(`[${elements.join(",\n")}]`), pieceSize);
    });
});
