import { keepRaw } from "../extract/draft.js";
import { parseNumbersExactly } from "../extract/number-text.js";
import type { RawRecord } from "../extract/records.js";
import { MAX_KEPT_REJECT_BYTES, MAX_KEPT_REJECTS } from "../limits.js";
import type { EventDetails, EventRow, Reject, RejectCause, SourceObject } from "../types.js";
import { type DetailsOptions, detailsOf } from "./details.js";
import type { JsonObject } from "./fields.js";
import { RepairLog } from "./repair.js";
import { type Transformed, transformEvent } from "./transform.js";

/** What records became. */
export interface TransformedRecords {
  readonly rows: readonly EventRow[];
  /** Of each row; none where they are not asked for. */
  readonly details: readonly EventDetails[];
  readonly rejects: readonly Reject[];
  readonly repairs: RepairLog;
}

type ParsedRecord = Extract<RawRecord, { readonly raw: () => string }>;

/** Makes rows of one object's records, and rejects of those that cannot be one. */
export class RecordTransform {
  #kept = 0;
  #keptBytes = 0;
  /** By cause, the rejects that are counted only. */
  readonly #rest = new Map<RejectCause, { readonly position: number; records: number }>();

  /** @param details null: none are made */
  constructor(
    private readonly object: SourceObject,
    private readonly details: DetailsOptions | null = null,
  ) {}

  /** @param isLast no more records of the object follow */
  apply(records: readonly RawRecord[], isLast: boolean): TransformedRecords {
    const rows: EventRow[] = [];
    const details: EventDetails[] = [];
    const rejects: Reject[] = [];
    const repairs = new RepairLog();
    for (const record of records) {
      const { row, reject } = this.#transform(record, repairs);
      if (!row) {
        this.#reject(rejects, record, reject);
        continue;
      }
      rows.push(row);
      if (this.details && !record.reject) details.push(this.#details(record, row, repairs, this.details));
    }
    if (isLast) rejects.push(...this.#counted());
    return { rows, details, rejects, repairs };
  }

  #transform(record: RawRecord, repairs: RepairLog): Transformed {
    if (record.reject) return { reject: record.reject };
    return transformEvent(
      record.value,
      { object: this.object, position: record.position, text: record.raw },
      repairs,
    );
  }

  #details(record: ParsedRecord, row: EventRow, repairs: RepairLog, options: DetailsOptions): EventDetails {
    const event = record.value as JsonObject;
    let parsed: JsonObject | undefined;
    const exact = () => (parsed ??= parseNumbersExactly(record.raw()) ?? event);
    return detailsOf(event, exact, row, repairs, options);
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
