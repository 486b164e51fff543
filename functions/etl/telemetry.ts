import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { HostState, LookbackState, RunSummary } from "etl-lib";
import { HOST_METRICS, METRICS, METRICS_NAMESPACE } from "./contract.js";

export interface Telemetry {
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** JSON to the log; metrics too, in embedded metric format, so that no CloudWatch endpoint is needed in the VPC. */
export function createTelemetry(serviceName: string): Telemetry {
  return {
    logger: new Logger({ serviceName }),
    metrics: new Metrics({ namespace: METRICS_NAMESPACE, serviceName }),
  };
}

/** A run is a success when its window is loaded or will be: nothing failed. */
export function hasFailed(summary: RunSummary): boolean {
  return summary.status === "failed" || summary.objects.failed > 0;
}

/** Emits the run's metrics, all in one line. @param lookback null where it is not known */
export function publishRun(metrics: Metrics, summary: RunSummary, lookback: LookbackState | null): void {
  const { events, objects, sealed, alerts } = summary;
  metrics.addMetric(METRICS.eventsRead, MetricUnit.Count, events.read);
  metrics.addMetric(METRICS.eventsInserted, MetricUnit.Count, events.inserted);
  metrics.addMetric(METRICS.eventsDuplicate, MetricUnit.Count, events.duplicates);
  metrics.addMetric(METRICS.eventsRejected, MetricUnit.Count, events.rejected);
  metrics.addMetric(METRICS.eventsExpired, MetricUnit.Count, events.expired);
  metrics.addMetric(METRICS.contractFindings, MetricUnit.Count, summary.contract.findings.length);
  metrics.addMetric(METRICS.objectsLoaded, MetricUnit.Count, objects.loaded);
  metrics.addMetric(METRICS.objectsRemaining, MetricUnit.Count, objects.remaining);
  metrics.addMetric(METRICS.runSucceeded, MetricUnit.Count, hasFailed(summary) ? 0 : 1);
  metrics.addMetric(METRICS.rollupsStale, MetricUnit.Count, summary.rollupsRefreshed ? 0 : 1);
  metrics.addMetric(METRICS.prefixesUnlisted, MetricUnit.Count, objects.unlisted);
  metrics.addMetric(METRICS.ledgerRowsSealed, MetricUnit.Count, sealed ?? 0);
  metrics.addMetric(METRICS.ledgerSealFailed, MetricUnit.Count, sealed === null ? 1 : 0);
  metrics.addMetric(METRICS.eventsPruned, MetricUnit.Count, summary.pruned ?? 0);
  metrics.addMetric(METRICS.pruneFailed, MetricUnit.Count, summary.pruned === null ? 1 : 0);
  metrics.addMetric(METRICS.alertsRaised, MetricUnit.Count, alerts?.length ?? 0);
  metrics.addMetric(METRICS.alertsFailed, MetricUnit.Count, alerts === null ? 1 : 0);
  if (summary.lake) {
    metrics.addMetric(METRICS.lakeDaysWaiting, MetricUnit.Count, summary.lake.waiting);
    metrics.addMetric(METRICS.lakeExportFailed, MetricUnit.Count, summary.lake.failed ? 1 : 0);
  }
  if (lookback !== null) {
    const age = (Date.now() - (lookback.sweptAt ?? lookback.since).getTime()) / 1000;
    metrics.addMetric(METRICS.sweepAge, MetricUnit.Seconds, age);
  }
  if (events.read > 0) {
    metrics.addMetric(METRICS.rejectShare, MetricUnit.Percent, (100 * events.rejected) / events.read);
  }
  metrics.publishStoredMetrics();
}

/** Emits the metrics of the warehouse's host, all in one line. */
export function publishHost(metrics: Metrics, state: HostState): void {
  const percent = ({ size, free }: { size: number; free: number }) => (100 * (size - free)) / size;
  metrics.addMetric(HOST_METRICS.stateAge, MetricUnit.Seconds, state.ageSeconds);
  metrics.addMetric(HOST_METRICS.dataUsed, MetricUnit.Percent, percent(state.dataMb));
  metrics.addMetric(HOST_METRICS.rootUsed, MetricUnit.Percent, percent(state.rootMb));
  metrics.addMetric(HOST_METRICS.memoryUsed, MetricUnit.Percent, percent(state.memoryMb));
  metrics.addMetric(
    HOST_METRICS.connectionsUsed,
    MetricUnit.Percent,
    (100 * state.connections) / state.maxConnections,
  );
  metrics.addMetric(HOST_METRICS.failedUnits, MetricUnit.Count, state.failedUnits.length);
  if (state.backupAgeSeconds !== null)
    metrics.addMetric(HOST_METRICS.backupAge, MetricUnit.Seconds, state.backupAgeSeconds);
  if (state.deadPercent !== null)
    metrics.addMetric(HOST_METRICS.deadRows, MetricUnit.Percent, state.deadPercent);
  if (state.certificateDays !== null)
    metrics.addMetric(HOST_METRICS.certificateLeft, MetricUnit.Count, state.certificateDays);
  metrics.addMetric(HOST_METRICS.load, MetricUnit.Count, state.loadPerProcessor);
  metrics.addMetric(HOST_METRICS.wal, MetricUnit.Bytes, state.walBytes);
  metrics.publishStoredMetrics();
}
