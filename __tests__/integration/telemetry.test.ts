import { expect } from "chai";
import { labEnvironment, runCommand } from "../../testing/lab/command.js";
import { event, hourKey, json } from "../../testing/lab/events.js";
import { type Lab, openLab } from "../../testing/lab/lab.js";
import { openReceiver, type Receiver } from "../../testing/otlp.js";
import { gets, refuse } from "../../testing/s3/s3.js";

const DAY = ["--from", "2025-12-06", "--to", "2025-12-07"];
const FAILED = 2;

describe("integration: what a run tells OpenTelemetry", () => {
  let lab: Lab;
  let receiver: Receiver;
  let env: Record<string, string>;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());
  beforeEach(async () => {
    receiver = await openReceiver();
    env = {
      ...labEnvironment(lab),
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    };
    for (let n = 0; n < 4; n++) lab.s3.put(hourKey(`${n}.json`), json([event(n), { eventId: "x" }]));
    await lab.db.pool.query(
      "TRUNCATE public.clickstream_events, public.clickstream_event_details, etl.loaded_hours, etl.objects, etl.rejects",
    );
  });
  afterEach(() => receiver.close());

  it("one trace: the run, its stages and batches, and every object that could not be read", async () => {
    const refused = lab.s3.fault(refuse(403, "AccessDenied"), { when: gets(hourKey("2.json")) });
    const { code } = await runCommand([...DAY, "--json"], env);
    refused.lift();
    expect(code).to.equal(1);
    const spans = receiver.spans();
    const named = (name: string) => spans.filter((span) => span.name === name);
    const [run] = named("run");
    expect(new Set(spans.map(({ traceId }) => traceId)).size).to.equal(1);
    for (const name of ["plan", "batch", "rollups", "seal"])
      for (const span of named(name)) expect(span.parentSpanId, name).to.equal(run?.spanId);
    const [batch] = named("batch");
    for (const name of ["load", "extract", "object"])
      expect(
        named(name).map(({ parentSpanId }) => parentSpanId),
        name,
      ).to.deep.equal([batch?.spanId]);
    expect(batch?.attributes).to.include({
      "clickstream.objects": 4,
      "clickstream.events.read": 6,
      "clickstream.events.inserted": 3,
      "clickstream.events.rejected": 3,
    });
    expect(run?.attributes).to.include({ "clickstream.status": "partial", "clickstream.events.read": 6 });
    const [failure] = named("object");
    expect(failure?.attributes["clickstream.object"]).to.include(hourKey("2.json"));
    expect([failure?.status.code, run?.status.code]).to.deep.equal([FAILED, FAILED]);
    for (const span of spans)
      expect(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano)).to.equal(true);
  });

  it("counts by outcome, and how long the run and its stages took", async () => {
    await runCommand([...DAY, "--quiet"], env);
    const points = receiver.points();
    const counted = (metric: string) =>
      Object.fromEntries(
        points
          .filter((point) => point.metric === metric)
          .map(({ attributes, value }) => [`${attributes.outcome}`, value]),
      );
    expect(counted("clickstream.events")).to.deep.equal({ inserted: 4, duplicate: 0, rejected: 4 });
    expect(counted("clickstream.objects")).to.deep.equal({
      loaded: 4,
      already_loaded: 0,
      failed: 0,
      remaining: 0,
    });
    const stages = points.filter(({ metric }) => metric === "clickstream.stage.duration");
    expect(stages.map(({ attributes }) => attributes.stage)).to.include.members(["plan", "load", "extract"]);
    expect(points.filter(({ metric }) => metric === "clickstream.run.duration")).to.have.length(1);
  });

  it("as protobuf unless it is told otherwise, under the name that the environment gives", async () => {
    const { OTEL_EXPORTER_OTLP_PROTOCOL: _, ...usual } = env;
    await runCommand([...DAY, "--quiet"], { ...usual, OTEL_SERVICE_NAME: "shop-loads" });
    expect(receiver.requests.map(({ path, type }) => `${path} ${type}`).sort()).to.deep.equal([
      "/v1/metrics application/x-protobuf",
      "/v1/traces application/x-protobuf",
    ]);
    for (const { body } of receiver.requests) expect(body.includes("shop-loads")).to.equal(true);
  });

  it("nothing unless it is asked to", async () => {
    const { OTEL_EXPORTER_OTLP_ENDPOINT: _, ...silent } = env;
    await runCommand([...DAY, "--quiet"], silent);
    await runCommand([...DAY, "--quiet"], { ...env, OTEL_SDK_DISABLED: "true" });
    expect(receiver.requests).to.deep.equal([]);
  });

  it("and is none the worse for it when nobody takes it", async () => {
    const deaf = await openReceiver(400);
    const { code, stderr } = await runCommand(DAY, { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: deaf.endpoint });
    expect(code).to.equal(0);
    expect(stderr).to.match(/^Traces and metrics did not reach OTEL_EXPORTER_OTLP_ENDPOINT: /m);
    expect(await lab.count()).to.equal(4);
    await deaf.close();
  });

  it("refuses a protocol that it does not speak, before anything is done", async () => {
    const outcome = await runCommand(DAY, { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" });
    expect([outcome.code, await lab.count()]).to.deep.equal([1, 0]);
    expect(outcome.stderr).to.match(
      /OTEL_EXPORTER_OTLP_PROTOCOL must be http\/protobuf or http\/json, not "grpc"/,
    );
  });
});
