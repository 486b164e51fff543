import { appendFileSync } from "node:fs";
import { UsageError } from "./failure.js";

/** Appends one JSON object a line to the log. */
export type Log = (level: "info" | "error", message: string, fields?: object) => void;

/** @param path null: nothing is logged @throws {UsageError} the file cannot be written */
export function openLog(path: string | undefined): Log {
  if (path === undefined) return () => {};
  const append = (text: string) => {
    try {
      appendFileSync(path, text);
    } catch (cause) {
      throw new UsageError(`--log-file ${path} cannot be written: ${(cause as Error).message}.`, { cause });
    }
  };
  append("");
  return (level, message, fields = {}) =>
    append(`${JSON.stringify({ time: new Date(), level, message, ...fields })}\n`);
}
