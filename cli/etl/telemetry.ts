import type { RunObserver, RunSummary } from "etl-lib";
import type { Env } from "../../connect/environment.js";

/** What a run is observed with, and where that goes when it has ended. */
export interface Telemetry {
  readonly observer: RunObserver;
  /** Sends what is left. Waits no longer than `patienceMs`, and never rejects: says why nothing arrived. */
  end(summary: RunSummary, patienceMs: number): Promise<string | null>;
}

/** By the variables that OpenTelemetry defines. Null: nothing is asked for, and the SDK is not even loaded. */
export async function openTelemetry(env: Env, source: string): Promise<Telemetry | null> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint = "", OTEL_SDK_DISABLED: disabled = "" } = env;
  if (endpoint === "" || disabled.toLowerCase() === "true") return null;
  const { otlpTelemetry } = await import("./otlp.js");
  return otlpTelemetry(env, source);
}
