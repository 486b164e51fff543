import type { RunRow } from "etl-lib";
import { count, paint, table, time } from "../shared/format.js";

const STYLES = { succeeded: "green", partial: "yellow", failed: "red" } as const;

/** A run's status in the words of the dashboard. */
export function statusWord(status: string): string {
  const word = status === "skipped" ? "nothing new" : status;
  const style = STYLES[status as keyof typeof STYLES];
  return style === undefined ? word : paint(style, word);
}

export const runsTable = (runs: readonly RunRow[]): string =>
  table(
    [
      "run",
      "started",
      { name: "trigger", drop: 4 },
      "status",
      { name: "loaded", drop: 3 },
      "inserted",
      { name: "duplicates", drop: 2 },
      "rejected",
      { name: "expired", drop: 1 },
      { name: "error", wrapTo: 20, drop: 5 },
    ],
    runs.map(({ runId, startedAt, trigger, status, objects, events, error }) => [
      runId.slice(0, 8),
      time(startedAt),
      trigger,
      statusWord(status),
      ...[objects.loaded, events.inserted, events.duplicates, events.rejected, events.expired].map((n) =>
        count(n ?? 0),
      ),
      error?.message ?? "",
    ]),
  );
