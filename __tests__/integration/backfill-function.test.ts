import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { parseWindow } from "etl-lib";
import { backfill } from "../../cli/backfill/backfill.js";
import type { Invoke } from "../../cli/backfill/invoke.js";
import { planSlices } from "../../cli/backfill/plan.js";
import { type Fault, gets, refuse, startS3, type TestS3 } from "../../testing/s3.js";
import { type RunningFunction, startFunction } from "../helpers/aws-lambda.js";
import { startPostgres, type TestDatabase } from "../helpers/postgres.js";

const PASSWORD = "writer";
const SLICES = planSlices(parseWindow("2025-12-06", "2025-12-07"), "hour");

/** The function's own package, S3 and PostgreSQL; only Lambda's API in between is left out. */
describe("a backfill of the real function", function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let s3: TestS3;
  let running: RunningFunction;

  before(async () => {
    database = await (await startPostgres()).createWarehouse();
    await database.pool.query(`ALTER ROLE etl_writer LOGIN PASSWORD '${PASSWORD}'`);
    s3 = await startS3();
    running = startFunction({
      ...s3.environment,
      DWH_HOST: database.config.host,
      DWH_PORT: String(database.config.port),
      DWH_USER: "etl_writer",
      DWH_PASSWORD: PASSWORD,
      DWH_DATABASE: database.config.database,
      RAW_BUCKET: s3.bucket,
    });
    for (let hour = 0; hour < 24; hour += 1)
      s3.put(`events/2025/12/06/${String(hour).padStart(2, "0")}/a.json`, `${event()}\n${event()}\n`);
    s3.put("events/2025/12/06/of-the-day.json", `${event()}\n[]\n`);
  });
  after(async () => {
    await running?.stop();
    await s3?.stop();
    await database?.drop();
  });

  const invoke: Invoke = async (slice) => {
    const answer = await running.invoke(slice);
    if ("error" in answer) throw new Error(answer.error.message);
    return answer.result;
  };
  const start = (dryRun = false) =>
    backfill({
      slices: SLICES,
      invoke,
      parallel: 1,
      dryRun,
      file: null,
      signal: new AbortController().signal,
      onProgress: () => {},
    });
  const rows = async () => {
    const answer = await database.pool.query("SELECT count(*)::int AS n FROM clickstream_events");
    return answer.rows[0].n;
  };

  it("counts in a dry run what it would insert, and writes nothing", async () => {
    const { sums, failed } = await start(true);
    expect(failed).to.deep.equal([]);
    expect(sums.inserted).to.be.greaterThan(0);
    expect(await rows()).to.equal(0);
  });

  it("loads each object once, with sums that are the table's, and lists an hour whose object cannot be read", async () => {
    const denied: Fault = s3.fault(refuse(403, "AccessDenied"), {
      when: gets("events/2025/12/06/07/a.json"),
    });
    const { sums, failed, done } = await start();
    denied.lift();
    expect(done).to.equal(23);
    expect(failed).to.have.length(1);
    expect(failed[0]).to.include({ from: "2025-12-06T07:00Z" });
    expect(failed[0]?.reason).to.include("events/2025/12/06/07/a.json");
    expect(sums).to.deep.equal({
      ...{ invocations: 23, objects: 24, read: 48, inserted: 47, duplicates: 0, rejected: 1 },
    });
    expect(await rows()).to.equal(47);
  });

  it("loads the rest when it is started again", async () => {
    const { sums, failed } = await start();
    expect(failed).to.deep.equal([]);
    expect(sums).to.include({ invocations: 24, objects: 1, inserted: 2 });
    expect(await rows()).to.equal(49);
  });
});

function event(): string {
  return JSON.stringify({ eventName: "page_view", eventId: randomUUID() });
}
