import { randomUUID } from "node:crypto";

/** A number of which a double has lost something, or whose text is another than JavaScript would write. */
export class NumberText {
  constructor(readonly text: string) {}
}

/**
 * Finds the value of a key, or an array's, that may be such a number: 16 characters or more, an exponent, a zero at the end of a
 * fraction, something very small, a negative zero. Any other comes back from a double to the letter. What it finds
 * within a text does no harm.
 */
const SUSPECT = /[:[,]\s*(?:-?\d[\d.]{15}|-?\d+(?:\.\d+)?[eE]|-?\d+\.\d*0\s*[,}\]]|-?0\.000000|-0\s*[,}\]])/;

/** The tokens of JSON in which a digit may stand. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/** Nobody who writes an event knows it, so no text is taken for a number. */
const MARK = `${randomUUID()}:`;

/**
 * The object that `text` is known to be, with a `NumberText` for each number that a double does not hold to the letter;
 * undefined when there is none. A reviver's `context.source` would tell as well, but Node has it from 21 on only.
 */
export function parseNumbersExactly(text: string): { readonly [key: string]: unknown } | undefined {
  if (!SUSPECT.test(text)) return undefined;
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : `"${MARK}${token}"`,
  );
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK) ? new NumberText(value.slice(MARK.length)) : value,
  );
}
