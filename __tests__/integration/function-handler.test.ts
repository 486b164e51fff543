import { randomUUID } from "node:crypto";
import { expect } from "chai";
import type { RunSummary } from "etl-lib";
import { METRICS_NAMESPACE } from "../../functions/etl/contract.js";
import { type Invocation, type RunningFunction, startFunction } from "../../testing/aws/lambda.js";
import { type ParameterStore, startParameterStore } from "../../testing/aws/ssm.js";
import { counts } from "../../testing/lab/lab.js";
import { startPostgres, type TestDatabase } from "../../testing/postgres.js";
import { gets, refuse, startS3, type TestS3 } from "../../testing/s3/s3.js";

const PASSWORD_PARAMETER = "/test/etl-writer-password";
const PASSWORD = "from-the-parameter";
const SCHEDULED = { source: "aws.events", "detail-type": "Scheduled Event", detail: {} };
const DAY = "events/2025/12/06/";

describe("the function, from its package", () => {
  let database: TestDatabase;
  let s3: TestS3;
  let store: ParameterStore;
  let running: RunningFunction;

  beforeEach(async () => {
    const postgres = await startPostgres();
    database = await postgres.createWarehouse();
    await database.pool.query(`ALTER ROLE etl_writer LOGIN PASSWORD '${PASSWORD}'`);
    s3 = await startS3();
    store = await startParameterStore();
    store.values.set(PASSWORD_PARAMETER, PASSWORD);
    running = startFunction(environment());
  });
  afterEach(async () => {
    await running.stop();
    await store.stop();
    await s3.stop();
    await database.drop();
  });

  it("loads the look-back window of the schedule, as the role etl_writer", async () => {
    const now = new Date();
    s3.put(key(now), event("page_view"));
    s3.put(key(now), `${event("click")}\n{"eventId":"without a name"}\n`);
    const summary = succeeded(await running.invoke(SCHEDULED));
    expect(summary).to.include({ status: "succeeded", dryRun: false, error: null });
    expect(summary.events).to.deep.equal(counts(3, 2, 0, 1));
    const { rows } = await database.pool.query("SELECT event_name FROM clickstream_events ORDER BY 1");
    expect(rows).to.deep.equal([{ event_name: "click" }, { event_name: "page_view" }]);
    const runs = await database.pool.query("SELECT trigger, status FROM etl.runs");
    expect(runs.rows).to.deep.equal([{ trigger: "schedule", status: "succeeded" }]);
  });

  it("logs one line of metrics, whose one dimension is the function's name", async () => {
    s3.put(key(new Date()), `${event("click")}\n${event("click")}\n{}\n[]\n`);
    await running.invoke(SCHEDULED);
    const [metrics, ...others] = emitted();
    expect(others).to.deep.equal([]);
    expect(metrics).to.deep.include({
      service: "etl-under-test",
      EventsRead: 4,
      EventsInserted: 2,
      EventsDuplicate: 0,
      EventsRejected: 2,
      ObjectsLoaded: 1,
      ObjectsRemaining: 0,
      RunSucceeded: 1,
      RollupsStale: 0,
      AlertsRaised: 0,
      AlertsFailed: 0,
      RejectShare: 50,
    });
    const [directive] = (metrics as unknown as { _aws: Emf })._aws.CloudWatchMetrics;
    expect(directive).to.deep.include({ Namespace: METRICS_NAMESPACE, Dimensions: [["service"]] });
    expect(directive?.Metrics).to.deep.include({ Name: "RejectShare", Unit: "Percent" });
  });

  it("passes on what the warehouse's host wrote of itself, in a line of its own", async () => {
    await database.pool.query(
      `INSERT INTO etl.host_state (at, data_size_mb, data_free_mb, root_size_mb, root_free_mb, memory_size_mb,
         memory_free_mb, load, processors, database_bytes, wal_bytes, connections, max_connections, failed_units,
         backup_at, journal_errors, live_rows, dead_rows, certificate_until)
       VALUES (now() - interval '60 s', 1000, 50, 100, 90, 4000, 1000, 0.5, 2, 1, 17, 10, 40,
         '{clickstream-backup.service}', now() - interval '2 h', '{}', 300, 100, now() + interval '40 days')`,
    );
    await running.invoke(SCHEDULED);
    const [, host] = emitted();
    await database.pool.query("TRUNCATE etl.host_state");
    expect(host).to.include({
      service: "etl-under-test",
      HostDataUsed: 95,
      HostRootUsed: 10,
      HostMemoryUsed: 75,
      HostConnectionsUsed: 25,
      HostFailedUnits: 1,
      HostDeadRows: 25,
      HostLoad: 0.25,
      HostWal: 17,
    });
    expect(host).to.have.property("HostStateAge").that.is.within(60, 600);
    expect(host).to.have.property("HostCertificateLeft").that.is.within(39, 40);
    expect(host).to.have.property("HostBackupAge").that.is.within(7200, 7800);
  });

  it("keeps its parameters and connections between warm calls, and a run without work is a success", async () => {
    for (let call = 0; call < 3; call += 1) {
      expect(succeeded(await running.invoke(SCHEDULED)).status).to.equal("skipped");
    }
    expect(store.reads).to.deep.equal([PASSWORD_PARAMETER]);
    expect(emitted().map(({ RunSucceeded }) => RunSucceeded)).to.deep.equal([1, 1, 1]);
  });

  it("picks up a password changed between warm calls", async () => {
    await running.invoke({});
    await database.pool.query("ALTER ROLE etl_writer PASSWORD 'second'");
    store.values.set(PASSWORD_PARAMETER, "second");
    await database.pool.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'etl_writer'",
    );
    s3.put(key(new Date()), event("click"));
    expect(succeeded(await running.invoke({})).events.inserted).to.equal(1);
  });

  it("backfills a window or a prefix by hand, and loads nothing twice", async () => {
    s3.put(`${DAY}a.json`, event("click"));
    s3.put(`${DAY}05/b.json`, event("click"));
    const byWindow = await running.invoke({ from: "2025-12-06T00:00:00Z", to: "2025-12-07T00:00:00Z" });
    expect(succeeded(byWindow).objects).to.include({ listed: 2, loaded: 2 });
    const byPrefix = await running.invoke({ prefix: DAY });
    expect(succeeded(byPrefix).objects).to.include({ listed: 2, alreadyLoaded: 2, loaded: 0 });
  });

  it("writes nothing in a dry run, and emits no metrics that an alarm could take for a load", async () => {
    s3.put(`${DAY}a.json`, event("click"));
    const summary = succeeded(await running.invoke({ prefix: DAY, dryRun: true }));
    expect(summary).to.include({ dryRun: true });
    expect(summary.events).to.include({ read: 1, inserted: 1 });
    const { rows } = await database.pool.query("SELECT count(*)::int AS n FROM clickstream_events");
    expect(rows).to.deep.equal([{ n: 0 }]);
    expect(emitted()).to.deep.equal([]);
  });

  it("starts nothing when its time is up, says what remains, and the next call takes it up", async () => {
    s3.put(`${DAY}a.json`, event("click"));
    const late = succeeded(await running.invoke({ prefix: DAY }, { remainingMs: 1 }));
    expect(late).to.include({ status: "partial" });
    expect(late.objects).to.include({ listed: 1, loaded: 0, remaining: 1 });
    expect(emitted().at(-1)).to.include({ ObjectsRemaining: 1, RunSucceeded: 1 });
    expect(succeeded(await running.invoke({ prefix: DAY })).objects.loaded).to.equal(1);
  });

  it("throws the run's own sentence when the bucket may not be listed, so that AWS retries", async () => {
    s3.fault(refuse(403, "AccessDenied"));
    const { name, message } = failed(await running.invoke({ prefix: DAY }));
    expect(name).to.equal("RunFailedError");
    expect(message).to.match(/^[^\n]*clickstream-s3-ingest[^\n]*$/);
    expect(emitted().map(({ RunSucceeded }) => RunSucceeded)).to.deep.equal([0]);
  });

  it("throws when an object cannot be read, after the rest is loaded", async () => {
    s3.put(`${DAY}bad.json`, event("click"));
    s3.put(`${DAY}good.json`, event("click"));
    s3.fault(refuse(403, "AccessDenied"), { when: gets(`${DAY}bad.json`) });
    const { message } = failed(await running.invoke({ prefix: DAY }));
    expect(message).to.include(`${DAY}bad.json`);
    const { rows } = await database.pool.query("SELECT count(*)::int AS n FROM clickstream_events");
    expect(rows).to.deep.equal([{ n: 1 }]);
  });

  it("refuses an event it does not know before it touches anything", async () => {
    const { message } = failed(await running.invoke({ from_date: "2025-12-06" }));
    expect(message).to.equal(
      'Unknown "from_date" in the event; known are "from", "to", "prefix", "dryRun", "rollups", "load".',
    );
    expect(s3.requests).to.deep.equal([]);
    expect(store.reads).to.deep.equal([]);
  });

  it("names the key of its configuration that is missing, at every call until it is there", async () => {
    const broken = startFunction({ ...environment(), DWH_HOST: "" });
    try {
      for (let call = 0; call < 2; call += 1) {
        const { message } = failed(await broken.invoke(SCHEDULED));
        expect(message).to.equal("DWH_HOST is not set: it has to name the address of the warehouse.");
      }
    } finally {
      await broken.stop();
    }
  });

  it("says which setting to look at when the password is refused for good, and logs no secret", async () => {
    store.values.set(PASSWORD_PARAMETER, "a-wrong-one");
    store.values.set(PASSWORD_PARAMETER, "a-wrong-one-too"); // the one before the newest is tried
    const { message } = failed(await running.invoke({}));
    expect(message).to.match(/^PostgreSQL refused: .*check DWH_USER and DWH_PASSWORD/);
    store.values.set(PASSWORD_PARAMETER, PASSWORD);
    succeeded(await running.invoke({}));
    expect(JSON.stringify(running.log)).to.not.match(/a-wrong-one|from-the-parameter/);
  });

  function environment(): Record<string, string> {
    return {
      ...s3.environment,
      AWS_ENDPOINT_URL: store.url,
      AWS_LAMBDA_FUNCTION_NAME: "etl-under-test",
      DWH_HOST: database.config.host,
      DWH_PORT: String(database.config.port),
      DWH_USER: "etl_writer",
      DWH_PASSWORD_PARAMETER: PASSWORD_PARAMETER,
      DWH_DATABASE: database.config.database,
      RAW_BUCKET: s3.bucket,
      ETL_LOOKBACK_HOURS: "2",
    };
  }

  /** The lines in embedded metric format. */
  function emitted(): Readonly<Record<string, unknown>>[] {
    return running.log.filter((line) => "_aws" in line);
  }
});

interface Emf {
  readonly CloudWatchMetrics: readonly { readonly Namespace: string; readonly Metrics: readonly object[] }[];
}

function event(eventName: string): string {
  return JSON.stringify({ eventName, eventId: randomUUID() });
}

function key(time: Date): string {
  const [date = "", hour = ""] = time.toISOString().split(/[T:]/);
  return `events/${date.replaceAll("-", "/")}/${hour}/event-${randomUUID()}.json`;
}

function succeeded(invocation: Invocation): RunSummary {
  if ("result" in invocation) return invocation.result;
  throw new Error(`The function failed: ${invocation.error.message}`);
}

function failed(invocation: Invocation): { name: string; message: string } {
  if ("error" in invocation) return invocation.error;
  throw new Error(`The function did not fail: ${JSON.stringify(invocation.result)}`);
}
