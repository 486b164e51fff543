import { keepRaw } from "../extract/draft.js";
import type { RawRecord } from "../extract/records.js";
import type { EventRow, Reject, SourceObject } from "../types.js";
import { RepairLog } from "./repair.js";
import { transformEvent } from "./transform.js";

/** What records became. */
export interface TransformedRecords {
  readonly rows: readonly EventRow[];
  readonly rejects: readonly Reject[];
  readonly repairs: RepairLog;
}

/** Makes rows of an object's records, and rejects of those that cannot be one. */
export function transformRecords(records: readonly RawRecord[], object: SourceObject): TransformedRecords {
  const rows: EventRow[] = [];
  const rejects: Reject[] = [];
  const repairs = new RepairLog();
  for (const record of records) {
    const { position } = record;
    if (record.reject) {
      rejects.push({ ...record.reject, raw: keepRaw(record.reject.raw), position });
      continue;
    }
    const { row, reject } = transformEvent(record.value, { object, position }, repairs);
    if (row) rows.push(row);
    else rejects.push({ ...reject, raw: keepRaw(record.raw()), position });
  }
  return { rows, rejects, repairs };
}
