import type { RunSummary } from "etl-lib";

/** What the invocations of one slice, or of many, did. */
export interface Sums {
  invocations: number;
  objects: number;
  read: number;
  inserted: number;
  duplicates: number;
  rejected: number;
}

export const nothing = (): Sums => ({
  invocations: 0,
  objects: 0,
  read: 0,
  inserted: 0,
  duplicates: 0,
  rejected: 0,
});

export function add(one: Sums, other: Sums): Sums {
  return {
    invocations: one.invocations + other.invocations,
    objects: one.objects + other.objects,
    read: one.read + other.read,
    inserted: one.inserted + other.inserted,
    duplicates: one.duplicates + other.duplicates,
    rejected: one.rejected + other.rejected,
  };
}

/** What one answer of the function adds. */
export function sumsOf({ objects, events }: RunSummary): Sums {
  const { read, inserted, duplicates, rejected } = events;
  return { invocations: 1, objects: objects.loaded, read, inserted, duplicates, rejected };
}
