import type { GenerateOptions } from "./generate.js";
import type { Layout } from "./layouts.js";

/** How the generated part of `samples/` was made, a day a layout; a test makes it again and compares. */
export const BUNDLED: readonly (Required<GenerateOptions> & { readonly layout: Layout })[] = [
  { events: 240, layout: "array", dirty: 0.05, seed: "bundled", from: new Date("2026-11-18"), days: 1 },
  { events: 240, layout: "ndjson", dirty: 0.05, seed: "bundled-2", from: new Date("2026-11-19"), days: 1 },
  { events: 120, layout: "object", dirty: 0.05, seed: "bundled-3", from: new Date("2026-11-20"), days: 1 },
];
