import { clean, type GeneratedEvent, soil } from "./dirt.js";
import { seededRandom, withCountedIds } from "./random.js";
import { storyOf } from "./story.js";
import { visitorEvents } from "./visits.js";

export interface GenerateOptions {
  /** How many records, duplicates and rejects included. */
  readonly events: number;
  /** Share of visitors' events that are doubled, damaged or no events at all, 0 to 1. @default 0 */
  readonly dirty?: number;
  /** @default 1 */
  readonly seed?: string | number;
  /** First day, UTC. @default 2026-11-18 */
  readonly from?: Date;
  /** @default 3 */
  readonly days?: number;
  /** Sixty days in which something happens, told in samples/README.md. @default false */
  readonly story?: boolean;
}

export const DEFAULTS = {
  dirty: 0,
  seed: 1,
  from: new Date("2026-11-18T00:00:00Z"),
  days: 3,
  story: false,
} as const;

/**
 * Exactly `events` records in the order in which they arrive. The same options give the same records; the first one is
 * always clean. Nothing is kept but the visits that are going on and the visitors who may come back.
 */
export function* generateEvents(options: GenerateOptions): Generator<GeneratedEvent> {
  const { events, dirty, seed, from, days, story } = { ...DEFAULTS, ...options };
  // Of its own, so that the share of dirt changes no visit.
  const luck = seededRandom(`${seed} dirt`);
  const random = story ? withCountedIds(seededRandom(seed)) : seededRandom(seed);
  const told = storyOf({ story, from });
  let given = 0;
  for (const timed of visitorEvents(random, from, days, events, told)) {
    const isSpared = given === 0 || !luck.chance(dirty);
    for (const record of isSpared ? [clean(timed)] : soil(timed, luck)) {
      if (given === events) return;
      yield record;
      given += 1;
    }
  }
}
