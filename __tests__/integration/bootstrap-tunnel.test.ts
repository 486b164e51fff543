import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { runEtl } from "etl-lib";
import { readMigrations } from "etl-lib/migrations";
import { s3Source } from "etl-lib/s3";
import pg from "pg";
import { type ParameterStore, startParameterStore } from "../../testing/aws/ssm.js";
import {
  BUCKET,
  connection,
  createHost,
  PASSWORDS,
  PREFIX,
  skipWithoutHost,
  visit,
} from "../../testing/host/fixture.js";
import type { WarehouseHost } from "../../testing/host/host.js";
import { runCommand } from "../../testing/lab/command.js";
import { DAY, event, hourKey, json } from "../../testing/lab/events.js";
import { startS3, type TestS3 } from "../../testing/s3/s3.js";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

const ARGS = ["--from", "2025-12-06", "--to", "2025-12-07"];
/** What docs/tunnel.md tells the reader to export. */
const EXPORTS = [
  ...readFileSync(join(REPOSITORY, "docs/tunnel.md"), "utf8").matchAll(/^ {4}export (.*)$/gm),
].flatMap(([, line = ""]) => line.split(" ").map((pair) => pair.split("=") as [string, string]));
const SNAPSHOT = `SELECT (SELECT array_agg(version ORDER BY version) FROM etl.migrations)::text AS migrations,
  (SELECT md5(string_agg(attrelid::regclass || '.' || attname, ',' ORDER BY attrelid, attnum)) FROM pg_attribute
   JOIN pg_class ON pg_class.oid = attrelid
   WHERE relnamespace IN ('public'::regnamespace, 'etl'::regnamespace, 'dw'::regnamespace)) AS columns`;

describe("the commands through a tunnel to the warehouse's host", () => {
  let host: WarehouseHost;
  let s3: TestS3;
  let parameters: ParameterStore;
  let tunnel: Server;

  before(async function () {
    skipWithoutHost(this);
    host = await createHost();
    const { status, log } = await host.boot();
    expect(status, log).to.equal(0);
    s3 = await startS3();
    for (let n = 0; n < 5; n++) s3.put(hourKey(`${n}.json`), json([event(n), event(0), { eventId: "x" }]));
    await loadAsFunction();
    parameters = await startParameterStore();
    parameters.values.set(`${PREFIX}/certificate`, await host.parameter(`${PREFIX}/certificate`));
    parameters.values.set(`${PREFIX}/dashboard-reader-password`, PASSWORDS.dashboard_reader ?? "");
    parameters.values.set(`${PREFIX}/owner-password`, PASSWORDS.dwh_owner ?? "");
    tunnel = await forward(host.port);
  });
  after(async () => {
    tunnel?.close();
    await parameters?.stop();
    await s3?.stop();
    await host?.stop();
  });

  /** As the function does: etl_writer, from its own network. */
  async function loadAsFunction(): Promise<void> {
    const pool = new pg.Pool(await connection(host, {}));
    const source = s3Source({ client: s3.client, bucket: s3.bucket });
    const summary = await runEtl({ window: DAY, trigger: "manual", source, pool });
    expect(summary).to.include({ status: "succeeded", rollupsRefreshed: true });
    await source.close();
    await pool.end();
  }

  /** The page's settings, with this host's parameters and the tunnel's port. */
  function settings(more: Record<string, string> = {}): Record<string, string> {
    const { port } = tunnel.address() as AddressInfo;
    const page = EXPORTS.map(([name, value]) => [name, value.replace("/clickstream/production/dwh", PREFIX)]);
    const here = { DWH_PORT: `${port}`, AWS_ENDPOINT_URL: parameters.url };
    return { ...Object.fromEntries(page), ...s3.environment, ...here, ...more };
  }
  const owner = () => ({ DWH_USER: "dwh_owner", DWH_PASSWORD_PARAMETER: `${PREFIX}/owner-password` });
  const snapshot = () => visit(host, { user: "dwh_owner", from: "127.0.0.1" }, SNAPSHOT);

  it("are set up by the page: loopback, verified TLS, a password from its parameter", () => {
    expect(Object.fromEntries(EXPORTS)).to.include({
      DWH_HOST: "127.0.0.1",
      DWH_PORT: "15432",
      DWH_SSL: "verify-full",
      DWH_USER: "dashboard_reader",
    });
  });

  it("verify as dashboard_reader: no gap, and nothing of the warehouse is changed", async () => {
    const before = await snapshot();
    const { code, stdout, stderr } = await runCommand(
      ["verify", "--source", `s3://${s3.bucket}`, ...ARGS],
      settings(),
    );
    expect(code, stdout + stderr).to.equal(0);
    expect(stdout).to.include("5 of 5 objects").and.include("No gap between source, ledger and table");
    expect(await snapshot()).to.deep.equal(before);
    expect(parameters.reads).to.include.members([
      `${PREFIX}/certificate`,
      `${PREFIX}/dashboard-reader-password`,
    ]);
  });

  it("verify finds what is missing through it", async () => {
    s3.put(hourKey("new.json"), json(event(99)));
    const { code, stdout } = await runCommand(
      ["verify", "--source", `s3://${s3.bucket}`, ...ARGS],
      settings(),
    );
    s3.remove(hourKey("new.json"));
    expect(code).to.equal(1);
    expect(stdout).to.include("new.json");
  });

  it("runs list reads as dashboard_reader; status and rejects list as dwh_owner", async () => {
    const outcomes = [
      await runCommand(["runs", "list"], settings()),
      await runCommand(["status", "--source", `s3://${s3.bucket}`, ...ARGS], settings(owner())),
      await runCommand(["rejects", "list"], settings(owner())),
    ];
    for (const { code, stderr } of outcomes) expect(code, stderr).to.equal(0);
  });

  it("requeue rejects as dwh_owner, without a duplicate", async () => {
    const { code, stdout, stderr } = await runCommand(
      ["rejects", "requeue", "--cause", "missing_event_name", "--source", `s3://${s3.bucket}`],
      settings(owner()),
    );
    expect(code, stdout + stderr).to.equal(0);
    expect(await visit(host, {}, "SELECT count(*)::int AS n FROM clickstream_events")).to.deep.equal([
      { n: 5 },
    ]);
  });

  const REFUSED: [string, Record<string, string>, RegExp][] = [
    [
      "etl_writer, who comes from the function's network alone",
      { DWH_USER: "etl_writer" },
      /does not let "etl_writer" in from here/,
    ],
    [
      "a connection in clear text",
      { DWH_SSL: "disable" },
      /does not let "dashboard_reader" in from here .*DWH_SSL \(now disable\)/,
    ],
    [
      "a server that the system's authorities have to vouch for",
      { DWH_SSL_CA_PARAMETER: "" },
      /certificate of 127\.0\.0\.1:\d+ is not trusted/,
    ],
  ];
  for (const [what, more, reason] of REFUSED)
    it(`refuse ${what}`, async () => {
      const { code, stderr } = await runCommand(["runs", "list"], settings(more));
      expect(code).to.equal(1);
      expect(stderr).to.match(reason);
    });

  it("migrate nothing where the host has not: they say what is missing", async () => {
    const newest = readMigrations().at(-1)?.name ?? "";
    const older = await createHost();
    await older.removeObject(BUCKET, `migrations/${newest}`);
    expect((await older.boot()).status).to.equal(0);
    const other = await forward(older.port);
    parameters.values.set(`${PREFIX}/certificate`, await older.parameter(`${PREFIX}/certificate`));
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await runCommand(
      ["verify", "--source", `s3://${s3.bucket}`, ...ARGS],
      settings({ ...owner(), DWH_PORT: `${port}` }),
    );
    const applied = await visit(
      older,
      { user: "dwh_owner", from: "127.0.0.1" },
      "SELECT count(*)::int AS n FROM etl.migrations",
    );
    other.close();
    await older.stop();
    expect(code).to.equal(1);
    expect(stderr).to.include(`The warehouse lacks the migration ${newest}`);
    expect(applied).to.deep.equal([{ n: readMigrations().length - 1 }]);
  });
});

/** What Session Manager's plugin does: a port of loopback whose connections end on the host's own loopback. */
async function forward(port: number): Promise<Server> {
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const socket of [near, far]) socket.on("error", () => socket.destroy());
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
