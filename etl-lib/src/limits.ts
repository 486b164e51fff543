/** What a stranger controls has a bound; all of them are here. */

/** An event above this many bytes of JSON is `too_large`; nor is any longer piece of text held. */
export const MAX_EVENT_BYTES = 1024 * 1024;
/** Levels of nesting of an event; `{}` has one. */
export const MAX_DEPTH = 64;
/** PostgreSQL holds longer text, but nothing a shop writes is longer; the rest is an attack or a fault. */
export const MAX_TEXT_LENGTH = 4096;
/** As much JSON as the details of an event keep beside their columns. */
export const MAX_EXTRAS_BYTES = 16 * 1024;
/** As much of a rejected record's text as quarantine keeps; on the way there, as many characters. */
export const MAX_RAW_BYTES = 64 * 1024;
/** Of one object's rejects, quarantine keeps so many and so much text; the others are counted. */
export const MAX_KEPT_REJECTS = 1000;
export const MAX_KEPT_REJECT_BYTES = 4 * 1024 * 1024;
/** Records are made and handed on in slices of so many, whatever the object is made of. */
export const MAX_SLICE_RECORDS = 1000;
/** Text is cut into records in pieces of so many characters: none holds more of them than memory does. */
export const MAX_PIECE_CHARS = 64 * 1024;
/** Objects up to this size are read whole: ahead of their turn, and again when their transfer breaks off. */
export const SMALL_OBJECT_BYTES = 1024 * 1024;

/** Whether `text` is above the limit in UTF-8, where a character has one to three bytes (four: two characters). */
export const isTooLarge = (text: string): boolean =>
  text.length > MAX_EVENT_BYTES ||
  (text.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(text) > MAX_EVENT_BYTES);
