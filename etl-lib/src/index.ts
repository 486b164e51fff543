export { noEvents, noObjects } from "./counts.js";
export {
  assertPerson,
  type EraseOptions,
  type ErasureReport,
  erasePerson,
  type Person,
} from "./erase/erase-person.js";
export { type ErrorKind, EtlError, ExtractError, LakeError, LoadError, PlanError } from "./errors.js";
export { directorySource } from "./extract/directory-source.js";
export { keyTime } from "./extract/key-time.js";
export { listObjects } from "./extract/plan.js";
export { extractRecords } from "./extract/records.js";
export { lookbackWindow, parseWindow } from "./extract/window.js";
export { type HostState, readHostState } from "./inspect/host-state.js";
export {
  findReject,
  listRejects,
  objectOf,
  type RejectFilter,
  type RejectRow,
  rejectedObjects,
  resolveRejects,
} from "./inspect/rejects.js";
export { type RollupDifference, type RollupReport, verifyRollups } from "./inspect/rollups.js";
export { findRuns, listRuns, type RunDetails, type RunRow } from "./inspect/runs.js";
export { status, type WarehouseStatus } from "./inspect/status.js";
export { type Gap, type VerifiedHour, type VerifyReport, verify } from "./inspect/verify.js";
export { LAKE_COLUMNS, LAKE_TABLE, type LakeKind } from "./lake/columns.js";
export { directoryLake } from "./lake/directory-store.js";
export { type Erased, eraseFromLake, type LakeErasure } from "./lake/erase.js";
export { type ExportOptions, exportLake, type LakeExport } from "./lake/export.js";
export type { LakeStore } from "./lake/store.js";
export { evaluateAlerts } from "./load/alerts.js";
export { copyIntoEvents } from "./load/copy.js";
export { PERSON_KINDS, type PersonKind } from "./load/erased-persons.js";
export { type LookbackState, readLookback } from "./load/lookbacks.js";
export { assertSchema, migrate } from "./load/migrate.js";
export { type Migration, readMigrations } from "./load/migrations.js";
export { firstOf as firstPgError, type PgFault, pgFault, toLoadError } from "./load/pg-errors.js";
export {
  assertClosed,
  hasExports,
  type PrunePreview,
  type PruneResult,
  previewPrune,
  prune,
  pruneRecords,
  waitText,
} from "./load/prune.js";
export {
  markStale,
  type RefreshOptions,
  type RefreshResult,
  rebuildRollups,
  refreshRollups,
  UNHURRIED,
} from "./load/rollups.js";
export type { Queryable, WarehouseClient, WarehousePool } from "./load/warehouse.js";
export { DEFAULT_RETRY, type RetryPolicy } from "./retry.js";
export type { LookbackOptions } from "./run/look-back.js";
export type { ObservedBatch, ObservedPart, PartEnd, RunObserver } from "./run/observer.js";
export { readChunks } from "./run/read-chunks.js";
export { type RunOptions, runEtl } from "./run/run.js";
export { describeError, type RunProgress } from "./run/run-record.js";
export { RepairLog } from "./transform/repair.js";
export { type EventOrigin, transformEvent } from "./transform/transform.js";
export * from "./types.js";
