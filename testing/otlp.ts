import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as OTLP's JSON has it, with its attributes as one object. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** One point of a metric. */
export interface ReceivedPoint {
  readonly metric: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** A counter's value; of a histogram the number of what was recorded. */
  readonly value: number;
}

export interface Receiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** What arrived, as it came. */
  readonly requests: { readonly path: string; readonly type: string; readonly body: Buffer }[];
  readonly spans: () => ReceivedSpan[];
  readonly points: () => ReceivedPoint[];
  close(): Promise<void>;
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** A collector of OpenTelemetry's that keeps what it gets. @param status what it answers with */
export async function openReceiver(status = 200): Promise<Receiver> {
  const requests: { path: string; type: string; body: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    requests.push({
      path: request.url ?? "",
      type: request.headers["content-type"] ?? "",
      body: Buffer.concat(parts),
    });
    response.writeHead(status, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sent = (path: string) =>
    requests.filter((request) => request.path === path).map(({ body }) => JSON.parse(`${body}`));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    spans: () =>
      sent("/v1/traces")
        .flatMap(({ resourceSpans }) => resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans)
        .map((span) => ({ ...span, attributes: asObject(span.attributes) })),
    points: () =>
      sent("/v1/metrics")
        .flatMap(({ resourceMetrics }) => resourceMetrics)
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics)
        .flatMap(({ name, sum, histogram }) =>
          (sum ?? histogram).dataPoints.map((point: PointOf) => ({
            metric: name,
            attributes: asObject(point.attributes),
            value: Number(point.asDouble ?? point.asInt ?? point.count),
          })),
        ),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

interface PointOf {
  readonly attributes: readonly KeyValue[];
  readonly asDouble?: number;
  readonly asInt?: number;
  readonly count?: number;
}

const asObject = (attributes: readonly KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
