/** What the infrastructure may know of the function: its entry point and the metrics that alarms watch. */

/** `handler` of the bundle's entry point, etl/index.mjs. */
export const HANDLER = "etl/index.handler";

export const POSTGRES_PORT = 5432;

/** Hours within which an object may be written late: a sweep looks back for it, where an event names no window. */
export const LOOKBACK_HOURS = { min: 1, max: 2_160, default: 72 } as const;
/** Hours before the one at hand that every run lists; those that a sweep alone lists are behind them. */
export const RECENT_HOURS = { min: 1, max: 2_160, default: 2 } as const;

/** Days that events, text in quarantine and records of runs are kept; 0: for ever. */
export const KEPT_DAYS = { min: 0, max: 36_500, default: 0 } as const;

/** Folder of the lake in its bucket. */
export const LAKE_FOLDER = "lake";

/** CloudWatch namespace of the metrics. Their one dimension is `service`, whose value is the function's name. */
export const METRICS_NAMESPACE = "Clickstream/ETL";
export const METRICS_DIMENSION = "service";

/** One data point each per run; dry runs emit none. */
export const METRICS = {
  eventsRead: "EventsRead",
  eventsInserted: "EventsInserted",
  eventsDuplicate: "EventsDuplicate",
  eventsRejected: "EventsRejected",
  /** Of days that were pruned already. */
  eventsExpired: "EventsExpired",
  /** Ways in which events of a run differ from the contract, by event, field and kind. */
  contractFindings: "ContractFindings",
  objectsLoaded: "ObjectsLoaded",
  objectsRemaining: "ObjectsRemaining",
  /** 1 when the run neither failed nor left an object unreadable, else 0. */
  runSucceeded: "RunSucceeded",
  /** 1 when the rollups could not be brought up to date with what is loaded, else 0. */
  rollupsStale: "RollupsStale",
  /** Hours and days that the run had no time to list to their end. */
  prefixesUnlisted: "PrefixesUnlisted",
  /** Rows of the ledger of old days that were folded. */
  ledgerRowsSealed: "LedgerRowsSealed",
  /** 1 when that failed, else 0: the next run tries it again. */
  ledgerSealFailed: "LedgerSealFailed",
  /** Events of days that are older than the retention, removed. */
  eventsPruned: "EventsPruned",
  /** 1 when that failed, else 0: the next run tries it again. */
  pruneFailed: "PruneFailed",
  /** Rules of `dw.alert_rules` that are raised. */
  alertsRaised: "AlertsRaised",
  /** 1 when the rules could not be evaluated, else 0. */
  alertsFailed: "AlertsFailed",
  /** Closed days whose file in the lake is missing or stale, and whether a day could not be exported (1) or all went well (0); with a lake alone. */
  lakeDaysWaiting: "LakeDaysWaiting",
  lakeExportFailed: "LakeExportFailed",
  /** Seconds since the last whole sweep of the look-back began; before the first one, since the first run. */
  sweepAge: "SweepAge",
  /** Rejected events in percent of those read (0 to 100); absent when nothing was read. */
  rejectShare: "RejectShare",
} as const;

/** A sweep a day, and as much again as a sweep may take over several runs. */
export const SWEEP_OVERDUE_HOURS = 30;

/** Of the warehouse's host, after each run: what it wrote of itself last. Absent where no host does. */
export const HOST_METRICS = {
  /** Seconds since the host wrote. */
  stateAge: "HostStateAge",
  /** Percent of the data volume, the root disk, the memory and the connections. */
  dataUsed: "HostDataUsed",
  rootUsed: "HostRootUsed",
  memoryUsed: "HostMemoryUsed",
  connectionsUsed: "HostConnectionsUsed",
  /** Units of systemd. */
  failedUnits: "HostFailedUnits",
  /** Seconds since the last dump that was read back; absent before the first. */
  backupAge: "HostBackupAge",
  /** Percent of the tables' rows that are dead: bloat. Absent while there are no rows. */
  deadRows: "HostDeadRows",
  /** Days until the server's certificate ends; the host renews it 30 days before. */
  certificateLeft: "HostCertificateLeft",
  /** Of the last minute, by processor: above 1, processes wait. */
  load: "HostLoad",
  /** Bytes of write-ahead log. */
  wal: "HostWal",
} as const;

/**
 * Beyond these the host needs a person: there is an alarm on each, and `doctor` looks at them. Units as in HOST_METRICS, of
 * which load and write-ahead log have no limit of their own: what they lead to has.
 */
export const HOST_LIMITS = {
  stateAge: { above: 1_800 },
  dataUsed: { above: 80 },
  rootUsed: { above: 90 },
  memoryUsed: { above: 95 },
  connectionsUsed: { above: 80 },
  failedUnits: { above: 0 },
  backupAge: { above: 108_000 },
  deadRows: { above: 50 },
  certificateLeft: { below: 20 },
} as const satisfies { [name in keyof typeof HOST_METRICS]?: { above: number } | { below: number } };
