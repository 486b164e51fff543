import { isTooLarge, MAX_EVENT_BYTES, MAX_RAW_BYTES } from "../limits.js";
import type { RejectCause } from "../types.js";

/** A record before it has its position. */
export type Draft =
  | { readonly value: unknown; readonly raw: () => string; readonly reject?: never }
  | {
      readonly reject: { readonly cause: RejectCause; readonly detail: string; readonly raw: string };
      readonly value?: never;
    };

/** @param raw makes the record's text when someone asks for it, which is seldom. */
export const parsed = (value: unknown, raw: () => string): Draft => ({ value, raw });

export const rejectedAs = (cause: RejectCause, detail: string, raw: string): Draft => ({
  reject: { cause, detail, raw: raw.trim().slice(0, MAX_RAW_BYTES) },
});

export const tooLarge = (raw: string): Draft =>
  rejectedAs("too_large", `above ${MAX_EVENT_BYTES} bytes of JSON`, raw);

/** At most 64 KiB of UTF-8, without half a character at its end. */
export function keepRaw(raw: string): string {
  if (raw.length * 3 <= MAX_RAW_BYTES || Buffer.byteLength(raw) <= MAX_RAW_BYTES) return raw;
  return new TextDecoder().decode(Buffer.from(raw).subarray(0, MAX_RAW_BYTES), { stream: true });
}

/** The record that a piece of complete JSON text is. */
export function parseRecord(text: string): Draft {
  if (isTooLarge(text)) return tooLarge(text);
  try {
    return parsed(JSON.parse(text), () => text);
  } catch (error) {
    return rejectedAs("invalid_json", (error as Error).message, text);
  }
}
