import { keepRaw } from "../extract/draft.js";
import type { RawRecord } from "../extract/records.js";
import { MAX_KEPT_REJECT_BYTES, MAX_KEPT_REJECTS } from "../limits.js";
import type { EventRow, Reject, RejectCause, SourceObject } from "../types.js";
import { RepairLog } from "./repair.js";
import { type Transformed, transformEvent } from "./transform.js";

/** What records became. */
export interface TransformedRecords {
  readonly rows: readonly EventRow[];
  readonly rejects: readonly Reject[];
  readonly repairs: RepairLog;
}

/** Makes rows of one object's records, and rejects of those that cannot be one. */
export class RecordTransform {
  #kept = 0;
  #keptBytes = 0;
  /** By cause, the rejects that are counted only. */
  readonly #rest = new Map<RejectCause, { readonly position: number; records: number }>();

  constructor(private readonly object: SourceObject) {}

  /** @param isLast no more records of the object follow */
  apply(records: readonly RawRecord[], isLast: boolean): TransformedRecords {
    const rows: EventRow[] = [];
    const rejects: Reject[] = [];
    const repairs = new RepairLog();
    for (const record of records) {
      const { row, reject } = this.#transform(record, repairs);
      if (row) rows.push(row);
      else this.#reject(rejects, record, reject);
    }
    if (isLast) rejects.push(...this.#counted());
    return { rows, rejects, repairs };
  }

  #transform(record: RawRecord, repairs: RepairLog): Transformed {
    if (record.reject) return { reject: record.reject };
    return transformEvent(
      record.value,
      { object: this.object, position: record.position, text: record.raw },
      repairs,
    );
  }

  #reject(rejects: Reject[], record: RawRecord, { cause, detail }: Pick<Reject, "cause" | "detail">): void {
    const { position } = record;
    const rest = this.#rest.get(cause);
    if (this.#kept < MAX_KEPT_REJECTS && this.#keptBytes < MAX_KEPT_REJECT_BYTES) {
      const raw = keepRaw(record.reject ? record.reject.raw : record.raw());
      this.#kept++;
      this.#keptBytes += raw.length;
      rejects.push({ position, cause, detail, raw, records: 1 });
    } else if (rest) rest.records++;
    else this.#rest.set(cause, { position, records: 1 });
  }

  *#counted(): Generator<Reject> {
    for (const [cause, { position, records }] of this.#rest) {
      const detail = `${records} more records of this object were rejected for this cause, the first at ${position}; beside the first ${this.#kept} rejects they are counted only`;
      yield { position, cause, detail, raw: "", records };
    }
  }
}
