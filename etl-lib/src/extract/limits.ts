/** An event above this many bytes of JSON is `too_large`; nor is any longer piece of text held. */
export const MAX_EVENT_BYTES = 1024 * 1024;
/** As much of a rejected record's text as quarantine keeps, in characters. */
export const MAX_RAW_CHARS = 64 * 1024;

/** Whether `text` is above the limit in UTF-8, where a character has one to three bytes (four: two characters). */
export const isTooLarge = (text: string): boolean =>
  text.length > MAX_EVENT_BYTES ||
  (text.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(text) > MAX_EVENT_BYTES);
