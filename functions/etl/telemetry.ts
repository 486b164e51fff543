import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { RunSummary } from "etl-lib";
import { METRICS, METRICS_NAMESPACE } from "./contract.js";

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

/** Emits the run's metrics, all in one line. */
export function publishRun(metrics: Metrics, summary: RunSummary): void {
  const { events, objects } = summary;
  metrics.addMetric(METRICS.eventsRead, MetricUnit.Count, events.read);
  metrics.addMetric(METRICS.eventsInserted, MetricUnit.Count, events.inserted);
  metrics.addMetric(METRICS.eventsDuplicate, MetricUnit.Count, events.duplicates);
  metrics.addMetric(METRICS.eventsRejected, MetricUnit.Count, events.rejected);
  metrics.addMetric(METRICS.objectsLoaded, MetricUnit.Count, objects.loaded);
  metrics.addMetric(METRICS.objectsRemaining, MetricUnit.Count, objects.remaining);
  metrics.addMetric(METRICS.runSucceeded, MetricUnit.Count, hasFailed(summary) ? 0 : 1);
  if (events.read > 0) {
    metrics.addMetric(METRICS.rejectShare, MetricUnit.Percent, (100 * events.rejected) / events.read);
  }
  metrics.publishStoredMetrics();
}
