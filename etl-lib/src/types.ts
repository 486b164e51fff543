import type { Stage } from "./errors.js";

/**
 * The glossary. One term, one meaning, used in code, SQL, logs and documents alike.
 *
 * - event: one JSON value of an object that the transform maps to one row.
 * - object: one file of the source, known by bucket, key and ETag; a new ETag is a new object version.
 * - window: the half-open span [from, to) of UTC hours whose objects a run considers.
 * - ledger: `etl.objects`, one row per object version that was loaded, written with its rows.
 * - batch: the objects that are loaded in one transaction.
 * - quarantine: `etl.rejects`, the records that could not become a row, with their cause and raw text.
 * - duplicate: an event whose event_id is in the table already; the first stays.
 * - line: the UTC midnight before which rows are pruned; a late event is one before it, and counts as expired.
 * - warning: a repair that was made on the way, counted by column and cause.
 */

/** One object version as the listing shows it. */
export interface SourceObject {
  readonly bucket: string;
  readonly key: string;
  /** Opaque version tag, without quotes. Changes when the content of `key` is replaced. */
  readonly etag: string;
  /** Stored size in bytes (before decompression). */
  readonly size: number;
  readonly lastModified: Date;
}

/** One page of a listing: objects, and the sub-folders (ending in `/`) that were not descended into. */
export interface SourcePage {
  readonly objects: readonly SourceObject[];
  readonly folders: readonly string[];
}

/** Where raw events come from. Implemented for S3 and for a local directory of the same layout. */
export interface Source {
  /** The ledger's `bucket` for every object of this source. */
  readonly bucket: string;
  /**
   * Pages of what lies under `prefix`: everything below it, or, with `shallow`, only its direct objects and
   * the names of its sub-folders.
   * @throws {ExtractError} retriable or fatal (no such bucket, access denied)
   */
  list(prefix: string, options?: { shallow?: boolean }): AsyncIterable<SourcePage>;
  /**
   * The bytes of exactly this object version.
   * @throws {ExtractError} retriable; or kind `changed` when the object was replaced or removed since the listing
   */
  read(object: SourceObject): AsyncIterable<Uint8Array>;
}

/** The half-open span [from, to) in UTC. */
export interface Window {
  readonly from: Date;
  readonly to: Date;
}

export const REJECT_CAUSES = [
  "invalid_json",
  "not_an_object",
  "missing_event_name",
  "too_large",
  "too_deep",
  "invalid_gzip",
] as const;
export type RejectCause = (typeof REJECT_CAUSES)[number];
export type RejectCounts = { [cause in RejectCause]?: number };

/** A record that cannot become a row; `raw` is its text, at most 64 KiB of UTF-8. */
export interface Reject {
  /** 0-based index of the record in its object. */
  readonly position: number;
  readonly cause: RejectCause;
  /** One sentence that says what is wrong. */
  readonly detail: string;
  readonly raw: string;
  /** How many it stands for: 1, or more of an object's rejects of this cause that are counted only. */
  readonly records: number;
}

/** The columns of `public.clickstream_events`, in their promised order. */
export const EVENT_COLUMNS = [
  "event_id",
  "event_timestamp",
  "event_name",
  "user_id",
  "user_login_state",
  "identity_source",
  "client_id",
  "session_id",
  "is_first_visit",
  "context_product_id",
  "context_product_name",
  "context_product_category",
  "context_product_brand",
  "context_product_price",
  "context_product_discount_price",
  "context_product_url_path",
] as const;
export type EventColumn = (typeof EVENT_COLUMNS)[number];

/** One row of `public.clickstream_events`. Prices are decimal text, so that no digit is lost on the way. */
export interface EventRow {
  event_id: string;
  event_timestamp: Date;
  event_name: string;
  user_id: string | null;
  user_login_state: string | null;
  identity_source: string | null;
  client_id: string | null;
  session_id: string | null;
  is_first_visit: boolean | null;
  context_product_id: string | null;
  context_product_name: string | null;
  context_product_category: string | null;
  context_product_brand: string | null;
  context_product_price: string | null;
  context_product_discount_price: string | null;
  context_product_url_path: string | null;
}

/** The columns of `public.clickstream_event_details`, in their order. */
export const DETAIL_COLUMNS = [
  "event_id",
  "event_timestamp",
  "page_url",
  "referrer",
  "referrer_host",
  "utm_source",
  "utm_medium",
  "utm_campaign",
  "device",
  "browser",
  "os",
  "is_bot",
  "extras",
] as const;

/** What the row of an event leaves out; `extras` is JSON text. */
export interface EventDetails {
  page_url: string | null;
  referrer: string | null;
  referrer_host: string | null;
  utm_source: string | null;
  utm_medium: string | null;
  utm_campaign: string | null;
  device: string | null;
  browser: string | null;
  os: string | null;
  is_bot: boolean | null;
  extras: string | null;
}

export const REPAIR_CAUSES = [
  "nul_removed",
  "surrogate_replaced",
  "cut",
  "converted_to_text",
  "wrong_type",
  "unusable",
] as const;
export type RepairCause = (typeof REPAIR_CAUSES)[number];

/** Repairs counted by column and cause, e.g. `{"user_id": {"cut": 2}}`. */
export type Warnings = { [column: string]: { [cause in RepairCause]?: number } };

/** Always: read = inserted + duplicates + rejected + expired. */
export interface EventCounts {
  read: number;
  inserted: number;
  duplicates: number;
  rejected: number;
  /** Of days that were pruned already: added to nothing; with a lake, kept for it. */
  expired: number;
  /** Of the duplicates, events of a person who was erased: known, and not added again. */
  erased: number;
}

export interface ObjectCounts {
  /** Found in the window. listed = alreadyLoaded + loaded + failed + remaining. */
  listed: number;
  /** In the ledger before this run, or loaded by another run meanwhile. */
  alreadyLoaded: number;
  loaded: number;
  /** Could not be read after every retry; the next run tries again. */
  failed: number;
  /** Left for the next run: the time budget ended, or the object changed while it was read. */
  remaining: number;
  /** Hours and days of the window that there was no time to list to their end. */
  unlisted: number;
}

/** Where events differ from the contract in one way. */
export interface ContractFinding {
  event: string;
  /** As product.price. */
  field: string;
  /** missing, type, format, enum, unknown_field, unknown_event, or another keyword of JSON Schema. */
  kind: string;
  events: number;
}

export interface ContractSummary {
  /** Events that were held against the contract: a sample of those read. */
  readonly checked: number;
  readonly findings: readonly ContractFinding[];
}

export type RunStatus = "succeeded" | "partial" | "skipped" | "interrupted" | "failed";
export type RunTrigger = "schedule" | "manual" | "local";

/** What a run did. The same object is the function's answer, `etl:local run --json` and the row in `etl.runs`. */
export interface RunSummary {
  /**
   * succeeded: all of the window is loaded. partial: something remains or an object failed.
   * skipped: nothing was new. interrupted: by whoever started it. failed: the run ended on `error`.
   * Whatever it ended on, what was committed before stays.
   */
  status: RunStatus;
  runId: string;
  /** Null when the run was not bound to a window: all of a prefix or of a directory. */
  window: { from: string; to: string } | null;
  dryRun: boolean;
  objects: ObjectCounts;
  events: EventCounts;
  rejects: RejectCounts;
  warnings: Warnings;
  contract: ContractSummary;
  /** Rows of the ledger, of days that no look-back reaches, that were folded into seals; null: that failed. */
  sealed: number | null;
  /** Events of days that are older than the retention and were removed; null: that failed. */
  pruned: number | null;
  /** Rules of `dw.alert_rules` that are raised now; null: they could not be evaluated. A dry run evaluates none. */
  alerts: readonly string[] | null;
  /** What was written into the lake; only of a run that has one. */
  lake?: LakeSummary;
  durationMs: number;
  /** What ended the run, else the first object that could not be read. */
  error: RunError | null;
  /**
   * False when the rollups could not be brought up to date: their hours stay marked, and the next run takes them up. That
   * is no failure of the run: its events are loaded.
   */
  rollupsRefreshed: boolean;
  /** The first twenty of all that went wrong. */
  errors: readonly RunError[];
}

export interface LakeSummary {
  /** Days whose file was written. */
  days: number;
  rows: number;
  /** Late events of pruned days that were written into further files. */
  late: number;
  /** Closed days whose file is missing or stale: the next run goes on with them. */
  waiting: number;
  /** Something of it failed: see the run's errors. */
  failed: boolean;
}

export interface RunError {
  kind: "retriable" | "fatal";
  stage: Stage;
  message: string;
  object: string | null;
}
