import { setTimeout as sleep } from "node:timers/promises";
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { OTLPMetricExporter as JsonMetrics } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtoMetrics } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as JsonTraces } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoTraces } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { ObservedBatch, ObservedPart, PartEnd, RunError, RunObserver, RunSummary } from "etl-lib";
import { type Env, EnvironmentError } from "../../connect/environment.js";
import { sentenceOf } from "../shared/failure.js";
import type { Telemetry } from "./telemetry.js";

const SCOPE = "clickstream";

/** Where traces and metrics go, and how, the exporters read from the environment themselves: address, headers, timeout. */
export function otlpTelemetry(env: Env, source: string): Telemetry {
  const { traces, metrics } = exportersOf(env.OTEL_EXPORTER_OTLP_PROTOCOL || "http/protobuf");
  const failures = new Set<string>();
  for (const exporter of [traces, metrics]) noteFailures(exporter, (failure) => failures.add(failure));
  const resource = defaultResource()
    .merge(resourceFromAttributes({ "service.name": SCOPE }))
    .merge(detectResources({ detectors: [envDetector] }));
  const tracing = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter: traces })],
  });
  const metering = new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({ exporter: metrics })],
  });
  const run = new RunTrace(tracing, metering, source);
  return {
    observer: run,
    async end(summary, patienceMs) {
      run.end(summary);
      const sent = Promise.all([tracing.shutdown(), metering.shutdown()]).then(() => true);
      const isSent = await Promise.race([sent, sleep(patienceMs, false, { ref: false })]).catch(
        (error: unknown) => failures.add(sentenceOf(error)),
      );
      if (!isSent) failures.add(`no answer within ${patienceMs / 1000} s`);
      return failures.size === 0 ? null : [...failures].join("; ");
    },
  };
}

function exportersOf(protocol: string) {
  if (protocol === "http/protobuf") return { traces: new ProtoTraces(), metrics: new ProtoMetrics() };
  if (protocol === "http/json") return { traces: new JsonTraces(), metrics: new JsonMetrics() };
  throw new EnvironmentError(
    `OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or http/json, not "${protocol}".`,
  );
}

interface Exporter {
  // biome-ignore lint/suspicious/noExplicitAny: the two kinds of exporters differ in what they send
  export(items: any, done: (result: { code: number; error?: Error }) => void): void;
}

/** A provider's shutdown resolves whether or not anything arrived. */
function noteFailures(exporter: Exporter, note: (failure: string) => void): void {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== 0) note(result.error ? sentenceOf(result.error) : "refused");
      done(result);
    });
}

/** One trace: the run, in it its batches and stages, and what could not be read. */
class RunTrace implements RunObserver {
  readonly #tracer;
  readonly #meter;
  readonly #stages;
  readonly #root: Span;
  readonly #inRoot: Context;
  /** Of the last batch that began: what could not be read of it is known when it has ended. */
  #inBatch: Context | null = null;

  constructor(tracing: TracerProvider, metering: MeterProvider, source: string) {
    this.#tracer = tracing.getTracer(SCOPE);
    this.#meter = metering.getMeter(SCOPE);
    this.#stages = this.#meter.createHistogram("clickstream.stage.duration", { unit: "s" });
    this.#root = this.#tracer.startSpan("run", { attributes: { "clickstream.source": source } });
    this.#inRoot = trace.setSpan(ROOT_CONTEXT, this.#root);
  }

  began(part: ObservedPart, batch?: ObservedBatch): (end?: PartEnd) => void {
    const since = performance.now();
    const isOfBatch = part === "load" || part === "extract";
    const parent = (isOfBatch ? this.#inBatch : null) ?? this.#inRoot;
    const attributes = batch && { "clickstream.objects": batch.objects, "clickstream.bytes": batch.bytes };
    const span = this.#tracer.startSpan(part, attributes ? { attributes } : {}, parent);
    if (part === "batch") this.#inBatch = trace.setSpan(parent, span);
    return ({ error, events } = {}) => {
      if (part !== "batch") this.#stages.record((performance.now() - since) / 1000, { stage: part });
      if (events) span.setAttributes(eventAttributes(events));
      if (error !== undefined) fail(span, sentenceOf(error));
      span.end();
    };
  }

  leftOut({ object, stage, kind, message }: RunError): void {
    const attributes = {
      "clickstream.object": object ?? "",
      "clickstream.stage": stage,
      "clickstream.kind": kind,
    };
    const span = this.#tracer.startSpan("object", { attributes }, this.#inBatch ?? this.#inRoot);
    fail(span, message);
    span.end();
  }

  end({ runId, status, dryRun, objects, events, durationMs, error }: RunSummary): void {
    const of: Attributes = { "clickstream.dry_run": dryRun, "clickstream.status": status };
    this.#root.setAttributes({ ...of, "clickstream.run_id": runId ?? "", ...eventAttributes(events) });
    if (error) fail(this.#root, error.message);
    this.#root.end();
    this.#count("clickstream.events", of, {
      inserted: events.inserted,
      duplicate: events.duplicates,
      rejected: events.rejected,
    });
    const { loaded, alreadyLoaded: already_loaded, failed, remaining } = objects;
    this.#count("clickstream.objects", of, { loaded, already_loaded, failed, remaining });
    this.#meter.createHistogram("clickstream.run.duration", { unit: "s" }).record(durationMs / 1000, of);
  }

  #count(name: string, of: Attributes, outcomes: Readonly<Record<string, number>>): void {
    const counter = this.#meter.createCounter(name);
    for (const [outcome, n] of Object.entries(outcomes)) counter.add(n, { ...of, outcome });
  }
}

function fail(span: Span, message: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.recordException(message);
}

const eventAttributes = ({ read, inserted, duplicates, rejected }: RunSummary["events"]): Attributes => ({
  "clickstream.events.read": read,
  "clickstream.events.inserted": inserted,
  "clickstream.events.duplicates": duplicates,
  "clickstream.events.rejected": rejected,
});
