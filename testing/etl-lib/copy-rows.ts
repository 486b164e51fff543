import { EVENT_COLUMNS } from "../../etl-lib/src/types.js";

type Read = (field: Buffer) => string;

const asUuid: Read = (field) => {
  const hex = field.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
};
const asTime: Read = (field) =>
  new Date(Number(field.readBigInt64BE() / 1000n) + Date.UTC(2000, 0, 1)).toISOString();

/** The groups of four digits around the point, with as many decimals as the scale says. */
const asDecimal: Read = (field) => {
  const [count, weight, sign, scale] = [0, 2, 4, 6].map((at) => field.readInt16BE(at)) as number[];
  const group = (index: number) =>
    String(index >= 0 && index < (count as number) ? field.readInt16BE(8 + 2 * index) : 0).padStart(4, "0");
  let text = "";
  for (let index = 0; index <= (weight as number); index++) text += group(index);
  text = text.replace(/^0+(?=\d)/, "") || "0";
  let fraction = "";
  for (let index = (weight as number) + 1; fraction.length < (scale as number); index++)
    fraction += group(index);
  return `${sign ? "-" : ""}${text}${scale ? `.${fraction.slice(0, scale)}` : ""}`;
};

const READERS: { readonly [column: string]: Read } = {
  event_id: asUuid,
  event_timestamp: asTime,
  is_first_visit: (field) => String(field[0] === 1),
  context_product_price: asDecimal,
  context_product_discount_price: asDecimal,
  is_bot: (field) => String(field[0] === 1),
  extras: (field) => asText(field.subarray(1)), // behind the version of its format
};
const asText: Read = (field) => new TextDecoder("utf-8", { fatal: true }).decode(field);

/**
 * Reads rows of COPY's binary format as PostgreSQL does, so that what is written can be compared.
 * Source: https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS
 */
export function decodeRows(bytes: Buffer, columns: readonly string[] = EVENT_COLUMNS): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let at = 0;
  const next = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    if (next(2).readInt16BE() !== columns.length) throw new Error("not as many fields as columns");
    rows.push(
      columns.map((column) => {
        const length = next(4).readInt32BE();
        return length < 0 ? null : (READERS[column] ?? asText)(next(length));
      }),
    );
  }
  return rows;
}
