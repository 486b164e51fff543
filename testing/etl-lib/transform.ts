import { expect } from "chai";
import { RepairLog } from "../../etl-lib/src/transform/repair.js";
import { transformEvent } from "../../etl-lib/src/transform/transform.js";
import type { EventRow, RejectCause, Warnings } from "../../etl-lib/src/types.js";

export const LAST_MODIFIED = new Date("2025-12-06T05:00:01.000Z");

export const ORIGIN = {
  object: { bucket: "raw", key: "events/2025/12/06/05/event-1.json", lastModified: LAST_MODIFIED },
  position: 0,
};

/** The row of an event that must become one, and the repairs it took. */
export function mapped(event: unknown, origin = ORIGIN): { row: EventRow; warnings: Warnings } {
  const log = new RepairLog();
  const { row, reject } = transformEvent(event, origin, log);
  expect(reject, "the event was rejected").to.equal(undefined);
  return { row: row as EventRow, warnings: log.warnings };
}

/** Why an event that must not become a row did not. */
export function rejection(event: unknown): { cause: RejectCause; detail: string } {
  const { row, reject } = transformEvent(event, ORIGIN, new RepairLog());
  expect(row, "the event became a row").to.equal(undefined);
  return reject as { cause: RejectCause; detail: string };
}
