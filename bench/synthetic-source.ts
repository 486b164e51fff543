import type { Source, SourceObject, SourcePage } from "etl-lib";
import { eventJson } from "./events.js";

const EVENTS_PER_CHUNK = 100;
const EVENT_BYTES = 850;
/** Distinct events; after them they repeat, so that the database does not grow to the size of the input. */
const DISTINCT = 2_000;

/**
 * Inputs too large to keep on a disk, made while they are read: `<layout>:<size>`, where the size is bytes of one
 * object for `array` and `ndjson`, a number of objects for `objects`.
 */
export function syntheticSource(what: string): Source {
  const [layout = "", size = ""] = what.split(":");
  const lastModified = new Date("2026-11-20T00:00:00Z");
  const object = (key: string, bytes: number): SourceObject => ({
    bucket: "synthetic",
    key,
    etag: what,
    size: bytes,
    lastModified,
  });
  return {
    bucket: "synthetic",
    async *list(): AsyncGenerator<SourcePage> {
      if (layout !== "objects")
        yield { objects: [object(`events/${layout}.json`, Number(size))], folders: [] };
      else
        for (let from = 0; from < Number(size); from += 1000)
          yield {
            objects: Array.from({ length: 1000 }, (_, i) => object(`events/${from + i}.json`, EVENT_BYTES)),
            folders: [],
          };
    },
    async *read({ key }: SourceObject) {
      if (layout === "objects") yield Buffer.from(eventJson(Number(/\d+/.exec(key)?.[0])));
      else yield* large(layout, Number(size));
    },
  };
}

async function* large(layout: string, bytes: number): AsyncGenerator<Uint8Array> {
  const separator = layout === "array" ? "," : "\n";
  const distinct = Array.from({ length: DISTINCT }, (_, index) => eventJson(index));
  if (layout === "array") yield Buffer.from("[");
  for (let written = 0, index = 0; written < bytes; index += EVENTS_PER_CHUNK) {
    const at = index % DISTINCT;
    const chunk = Buffer.from(
      (index > 0 ? separator : "") + distinct.slice(at, at + EVENTS_PER_CHUNK).join(separator),
    );
    written += chunk.length;
    yield chunk;
  }
  if (layout === "array") yield Buffer.from("]");
}
