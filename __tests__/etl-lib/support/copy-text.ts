/**
 * Reads COPY's text format as PostgreSQL does (backslash escapes, \N), so that what is written can be compared.
 * Source: https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS
 */
export function decodeCopyText(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let fields: (string | null)[] = [];
  let field = "";
  let isNull = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] as string;
    if (character === "\\") {
      const next = text[++index];
      if (next === "N" && field === "") isNull = true;
      else if (next === ".") throw new Error("end-of-data marker within the data");
      else field += ESCAPES[next ?? ""] ?? next ?? "";
    } else if (character === "\t" || character === "\n") {
      fields.push(isNull ? null : field);
      field = "";
      isNull = false;
      if (character === "\t") continue;
      rows.push(fields);
      fields = [];
    } else if (character === "\r") throw new Error("a bare carriage return ends the line");
    else field += character;
  }
  if (fields.length > 0 || field !== "") throw new Error("the last row has no line feed");
  return rows;
}

const ESCAPES: { readonly [letter: string]: string } = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
