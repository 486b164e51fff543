import type { GenerateOptions } from "./generate.js";
import type { Layout } from "./layouts.js";

/** How the generated part of `samples/` was made; a test makes it again and compares. */
export const BUNDLED: Required<GenerateOptions> & { readonly layout: Layout } = {
  events: 19_951, // with what was made by hand 20,000
  layout: "mixed",
  dirty: 0.01,
  seed: "shop",
  from: new Date("2026-09-22"),
  days: 60,
  story: true,
};
