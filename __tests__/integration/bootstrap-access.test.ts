import { execFileSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import {
  bootedHost,
  FUNCTION_ADDRESS,
  failureOf,
  PASSWORDS,
  PREFIX,
  setPassword,
  TUNNEL_ADDRESS,
  type Visit,
  visit,
} from "../../testing/host/fixture.js";
import type { WarehouseHost } from "../../testing/host/host.js";

const EVENT = `INSERT INTO clickstream_events (event_id, event_timestamp, event_name)
  VALUES (gen_random_uuid(), now(), 'page_view')`;
const OTHER_AUTHORITY = execFileSync(
  "openssl",
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=other -days 1".split(
    " ",
  ),
  { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
);

describe("who may connect to the warehouse host", () => {
  let host: WarehouseHost;
  let bootLog: string;

  before(async function () {
    ({ host, log: bootLog } = await bootedHost(this));
  });
  after(() => host?.stop());

  it("lets the function in as etl_writer, over TLS verified with the published certificate", async () => {
    const rows = await visit(
      host,
      {},
      EVENT,
      "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    expect(rows).to.deep.equal([{ ssl: true, version: "TLSv1.3" }]);
  });

  it("lets a tunnel in as dashboard_reader, for reading alone", async () => {
    const tunnel: Visit = { user: "dashboard_reader", from: TUNNEL_ADDRESS };
    await visit(host, tunnel, "SELECT count(*) FROM clickstream_events");
    expect((await failureOf(visit(host, tunnel, EVENT))).message).to.match(/read-only transaction/);
    const insisting = visit(host, tunnel, "SET default_transaction_read_only = off", EVENT);
    expect((await failureOf(insisting)).message).to.match(/permission denied/);
  });

  it("lets a tunnel in as analyst: events, details, rollups and views within bounds, nothing else", async () => {
    const tunnel: Visit = { user: "analyst", from: TUNNEL_ADDRESS };
    for (const relation of ["analytics.events", "clickstream_events", "clickstream_event_details", "dw.days"])
      await visit(host, tunnel, `SELECT count(*) FROM ${relation}`);
    expect((await failureOf(visit(host, tunnel, EVENT))).message).to.match(/read-only transaction/);
    const writing = "SET default_transaction_read_only = off";
    for (const statement of [
      EVENT,
      "CREATE TABLE analytics.mine (x int)",
      "CREATE TEMPORARY TABLE mine (x int)",
    ])
      expect((await failureOf(visit(host, tunnel, writing, statement))).code, statement).to.equal("42501");
    for (const relation of ["etl.rejects", "etl.erasures", "etl.runs"])
      expect((await failureOf(visit(host, tunnel, `SELECT count(*) FROM ${relation}`))).code).to.equal(
        "42501",
      );
    const bounds = ["statement_timeout", "idle_in_transaction_session_timeout", "temp_file_limit"];
    const shown = bounds.map((name) => `current_setting('${name}') AS ${name}`).join(", ");
    expect(await visit(host, tunnel, `SELECT ${shown}`)).to.deep.equal([
      { statement_timeout: "5min", idle_in_transaction_session_timeout: "1min", temp_file_limit: "2GB" },
    ]);
    expect((await failureOf(visit(host, tunnel, "SET temp_file_limit = -1"))).code).to.equal("42501");
  });

  it("keeps a connection for everyone else, however many an analyst's tools open", async () => {
    const opened = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        visit(host, { user: "analyst", from: TUNNEL_ADDRESS }, "SELECT pg_sleep(3)"),
      ),
    );
    const refused = opened.flatMap((one) =>
      one.status === "rejected" ? [one.reason.message as string] : [],
    );
    expect(refused).to.have.length.at.least(1);
    for (const message of refused) expect(message).to.match(/too many connections for role "analyst"/);
  });

  it("lets root and postgres in over the socket as the superuser, without a password", () => {
    for (const user of ["root", "postgres"]) {
      const psql = [
        "psql",
        "-XAt",
        "-h",
        join(host.root, "run/postgresql"),
        "-p",
        `${host.port}`,
        "-U",
        "postgres",
      ];
      const [command = "", ...args] = [
        "runuser",
        "-u",
        user,
        "--",
        ...psql,
        "-d",
        "postgres",
        "-c",
        "SELECT 1",
      ];
      expect(execFileSync(command, args, { encoding: "utf8", cwd: "/" })).to.equal("1\n");
    }
  });

  const REFUSED: [string, Visit, RegExp][] = [
    ["a connection in clear text", { ssl: false }, /no pg_hba\.conf entry .* no encryption/],
    [
      "a connection in clear text from the tunnel",
      { user: "dashboard_reader", from: TUNNEL_ADDRESS, ssl: false },
      /no encryption/,
    ],
    ["a wrong password", { password: "guess" }, /password authentication failed/],
    ["another address", { from: "127.0.0.3" }, /no pg_hba\.conf entry for host "127\.0\.0\.3"/],
    ["another database", { database: "postgres" }, /no pg_hba\.conf entry/],
    ["the superuser", { user: "postgres" }, /no pg_hba\.conf entry/],
    ["the superuser by the tunnel", { user: "postgres", from: TUNNEL_ADDRESS }, /no pg_hba\.conf entry/],
    ["dwh_owner from the function's network", { user: "dwh_owner" }, /no pg_hba\.conf entry/],
    ["dashboard_reader from the function's network", { user: "dashboard_reader" }, /no pg_hba\.conf entry/],
    ["analyst from the function's network", { user: "analyst" }, /no pg_hba\.conf entry/],
    ["analyst in clear text", { user: "analyst", from: TUNNEL_ADDRESS, ssl: false }, /no encryption/],
  ];
  for (const [what, as, reason] of REFUSED) {
    it(`refuses ${what}`, async () => {
      expect((await failureOf(visit(host, as, "SELECT 1"))).message).to.match(reason);
    });
  }

  it("has a certificate that another authority or another name does not pass for", async () => {
    expect((await failureOf(visit(host, { ssl: { ca: OTHER_AUTHORITY } }))).message).to.match(
      /self-signed|unable to/,
    );
    const ca = await host.parameter(`${PREFIX}/certificate`);
    const elsewhere = visit(host, { ssl: { ca, host: "10.0.0.9" } });
    expect((await failureOf(elsewhere)).message).to.match(/10\.0\.0\.9 is not in the cert's list/);
  });

  const FORBIDDEN = [
    "DELETE FROM clickstream_events",
    "UPDATE clickstream_events SET event_name = 'x'",
    "TRUNCATE clickstream_events",
    "CREATE TABLE public.mine (x int)",
    "CREATE SCHEMA mine",
    "ALTER TABLE clickstream_events ADD COLUMN x int",
    "DROP TABLE clickstream_events",
    "CREATE ROLE mine",
    "SET ROLE dwh_owner",
  ];
  for (const statement of FORBIDDEN) {
    it(`refuses etl_writer ${statement}`, async () => {
      expect((await failureOf(visit(host, {}, statement))).code).to.equal("42501");
    });
  }

  it("shows no password in a process list, in an environment or in a log, even when the server logs all statements", async () => {
    const everything = "ALTER SYSTEM SET log_statement = 'all'";
    const psql = [
      "-X",
      "-h",
      join(host.root, "run/postgresql"),
      "-p",
      `${host.port}`,
      "-U",
      "postgres",
      "-d",
      "postgres",
    ];
    execFileSync("psql", [
      ...psql,
      "-c",
      everything,
      "-c",
      "ALTER SYSTEM SET log_min_duration_statement = 0",
    ]);
    const { status, log } = await host.run("setup");
    expect(status, log).to.equal(0);
    execFileSync("psql", [...psql, "-c", "ALTER SYSTEM RESET ALL", "-c", "SELECT pg_reload_conf()"]);

    const serverLog = await host.serverLog();
    expect(serverLog, "the server did log statements").to.include("GRANT CONNECT, TEMPORARY");
    expect(serverLog, "the roles were set").to.not.include('ALTER ROLE "etl_writer" WITH');
    const seen = bootLog + log + serverLog + (await host.calls());
    for (const role of ["dwh_owner", "etl_writer", "dashboard_reader", "analyst"]) {
      expect(seen, role).to.not.include(PASSWORDS[role]);
      expect(seen, `${role}, quoted for SQL`).to.not.include(PASSWORDS[role]?.replaceAll("'", "''"));
    }
    const { mode } = await stat(join(host.root, "etc/clickstream/dashboard.env"));
    expect(mode & 0o777).to.equal(0o600);
  });

  it("hands the dashboard its connection in a form that its service's environment reads back exactly", () => {
    const script = '. "$1" && printf "%s|%s|%s" "$PGHOST" "$PGUSER" "$PGPASSWORD"';
    const file = join(host.root, "etc/clickstream/dashboard.env");
    const read = execFileSync("bash", ["-c", script, "bash", file], { encoding: "utf8" });
    expect(read).to.equal(
      `${join(host.root, "run/postgresql")}|dashboard_reader|${PASSWORDS.dashboard_reader}`,
    );
  });

  it("picks up a changed password at the next run of the setup", async () => {
    await setPassword(host, "etl_writer", "rotated");
    await visit(host, {}, "SELECT 1");
    const { status, log } = await host.run("setup");
    expect(status, log).to.equal(0);
    expect((await failureOf(visit(host, {}, "SELECT 1"))).message).to.match(/password authentication failed/);
    await visit(host, { password: "rotated" }, "SELECT 1");
  });

  it("renews a server certificate near its end; clients go on with the authority they have", async () => {
    const ca = await host.parameter(`${PREFIX}/certificate`);
    const before = serverCertificate(host);
    shortenServerCertificate(host);
    const { status, log } = await host.run("setup");
    expect(status, log).to.equal(0);
    expect(log).to.include(`made a server certificate for ${FUNCTION_ADDRESS}`);
    expect(serverCertificate(host)).to.not.equal(before);
    expect(await host.parameter(`${PREFIX}/certificate`)).to.equal(ca);
    await visit(host, { password: "rotated", ssl: { ca } }, "SELECT 1");
  });
});

function serverCertificate(host: WarehouseHost): string {
  const file = join(host.volume, "data/server.crt");
  return execFileSync("openssl", ["x509", "-in", file, "-noout", "-fingerprint"], { encoding: "utf8" });
}

/** A certificate of the same key, name and authority that ends in ten days. */
function shortenServerCertificate(host: WarehouseHost): void {
  const [tls, data] = [join(host.volume, "tls"), join(host.volume, "data")];
  const authority = ["-CA", join(tls, "ca.crt"), "-CAkey", join(tls, "ca.key")];
  const subject = ["-subj", "/CN=clickstream_dw", "-addext", `subjectAltName=IP:${FUNCTION_ADDRESS}`];
  const request = ["req", "-x509", "-new", "-key", join(data, "server.key"), ...authority, ...subject];
  execFileSync("openssl", [...request, "-days", "10", "-out", join(data, "server.crt")], { stdio: "ignore" });
}
