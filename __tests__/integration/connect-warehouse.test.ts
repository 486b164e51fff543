import { execFileSync } from "node:child_process";
import { chownSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { LoadError } from "etl-lib";
import pg from "pg";
import { createSsmClient } from "../../connect/clients.js";
import type { WarehouseEnvironment } from "../../connect/environment.js";
import { readSecrets } from "../../connect/secrets.js";
import { createPool, RenewingPool } from "../../connect/warehouse.js";
import { type ParameterStore, startParameterStore } from "../../testing/aws/ssm.js";
import { newPostgres, type TestDatabase, type TestPostgres } from "../../testing/postgres.js";
import { until } from "../../testing/until.js";

const PASSWORD = "/test/etl-writer-password";
const CERTIFICATE = "/test/certificate";

describe("the function's connection to the warehouse", () => {
  let postgres: TestPostgres;
  let database: TestDatabase;
  let store: ParameterStore;
  let pool: RenewingPool;
  /** A backend that was stopped. */
  let silent: number | null = null;

  before(async () => {
    process.env.AWS_ACCESS_KEY_ID ??= "test";
    process.env.AWS_SECRET_ACCESS_KEY ??= "test";
    postgres = await newPostgres();
    database = await postgres.createDatabase();
    await database.pool.query("CREATE ROLE etl_writer LOGIN");
    useNewCertificate(postgres);
    await database.pool.query("ALTER SYSTEM SET ssl = on");
  });
  after(async () => {
    await database.drop();
  });

  beforeEach(async () => {
    store = await startParameterStore();
    store.values.set(PASSWORD, "first");
    store.values.set(CERTIFICATE, useNewCertificate(postgres));
    await database.pool.query("ALTER ROLE etl_writer PASSWORD 'first'");
    await reload();
    pool = open({});
  });
  afterEach(async () => {
    if (silent !== null) process.kill(silent, "SIGCONT");
    silent = null;
    await pool.end();
    await store.stop();
  });

  it("is encrypted, and names the function", async () => {
    const { rows } = await pool.query(
      "SELECT ssl, application_name FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE pid = pg_backend_pid()",
    );
    expect(rows).to.deep.equal([{ ssl: true, application_name: "SBW_Lamda_ETL" }]);
  });

  it("reads its parameters once for many queries", async () => {
    await Promise.all([1, 2, 3, 4, 5, 6].map(() => pool.query("SELECT 1")));
    expect(store.reads.sort()).to.deep.equal([CERTIFICATE, PASSWORD]);
  });

  it("picks up a password that was changed while it was warm", async () => {
    await pool.query("SELECT 1");
    await changePassword("second");
    await dropConnections();
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => pool.query("SELECT current_user AS who")));
    expect(answers.map(({ rows }) => rows[0].who)).to.deep.equal(new Array(6).fill("etl_writer"));
    expect(store.reads.filter((name) => name === PASSWORD)).to.have.length(2);
  });

  it("picks up a certificate that was changed while it was warm", async () => {
    await pool.query("SELECT 1");
    store.values.set(CERTIFICATE, useNewCertificate(postgres));
    await reload();
    await dropConnections();
    expect((await pool.query("SELECT 1 AS one")).rows).to.deep.equal([{ one: 1 }]);
  });

  it("survives that the server ended its idle connection, also when the driver has not read so yet", async () => {
    const { rows } = await pool.query("SELECT pg_backend_pid() AS pid");
    endUnseen(rows[0].pid);
    expect((await pool.query("SELECT 1 AS one")).rows).to.deep.equal([{ one: 1 }]);
    endUnseen((await pool.query("SELECT pg_backend_pid() AS pid")).rows[0].pid);
    const client = await pool.connect();
    expect((await client.query("SELECT 2 AS two")).rows).to.deep.equal([{ two: 2 }]);
    client.release();
  });

  it("replaces an idle connection that has fallen silent", async () => {
    const { rows } = await pool.query("SELECT pg_backend_pid() AS pid");
    silent = rows[0].pid as number;
    process.kill(silent, "SIGSTOP");
    const answer = await pool.query("SELECT pg_backend_pid() AS pid");
    expect(answer.rows).not.to.deep.equal(rows);
  });

  it("reads a refused password again once, tries the one before it, then gives up with the server's refusal", async () => {
    store.values.set(PASSWORD, "wrong");
    store.values.set(PASSWORD, "wrong too");
    const error = await pool.connect().catch((refusal: pg.DatabaseError) => refusal);
    expect(error).to.be.instanceOf(pg.DatabaseError).with.property("code", "28P01");
    expect(store.reads.filter((name) => name.startsWith(PASSWORD))).to.deep.equal([
      PASSWORD,
      PASSWORD,
      PASSWORD,
      `${PASSWORD}:2`,
    ]);
  });

  it("comes in with the previous password, cold and warm, until PostgreSQL has the new one", async () => {
    store.values.set(PASSWORD, "second"); // the deploy; the host follows some minutes later
    await pool.query("SELECT 1");
    await dropConnections();
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => pool.query("SELECT 1 AS one")));
    expect(answers.map(({ rows }) => rows[0].one)).to.deep.equal(new Array(6).fill(1));

    await database.pool.query("ALTER ROLE etl_writer PASSWORD 'second'");
    await dropConnections();
    store.reads.length = 0;
    expect((await pool.query("SELECT 1 AS one")).rows).to.deep.equal([{ one: 1 }]);
    expect(store.reads.sort()).to.deep.equal([CERTIFICATE, PASSWORD]);
  });

  it("needs no parameter store once it is warm", async () => {
    await pool.query("SELECT 1");
    await dropConnections();
    await store.stop();
    expect((await pool.query("SELECT 1 AS one")).rows).to.deep.equal([{ one: 1 }]);
  });

  it("refuses a certificate for another name under verify-full, and takes it under require", async () => {
    const error = await open({ host: "localhost" })
      .connect()
      .catch((refusal: NodeJS.ErrnoException) => refusal);
    expect(error).to.have.property("code", "ERR_TLS_CERT_ALTNAME_INVALID");
    const unverified = open({ host: "localhost", ssl: "require" });
    expect((await unverified.query("SELECT 1 AS one")).rows).to.deep.equal([{ one: 1 }]);
    await unverified.end();
  });

  it("rides out a parameter store that is away for a moment", async () => {
    store.failures = 2;
    await pool.prepare();
    expect(store.reads).to.have.length(2);
  });

  it("names the parameter that does not exist, and who publishes it", async () => {
    store.values.delete(CERTIFICATE);
    const error = await pool.prepare().catch((failure: LoadError) => failure);
    expect(error).to.be.instanceOf(LoadError).with.property("kind", "fatal");
    expect(error).to.have.property(
      "message",
      "The SSM parameter /test/certificate does not exist: deploy the warehouse stack, whose host publishes it.",
    );
  });

  it("waits for the host that has not published its certificate yet", async () => {
    const published = store.values.get(CERTIFICATE) ?? "";
    store.values.set(CERTIFICATE, "not published yet");
    const error = await pool.connect().catch((failure: LoadError) => failure);
    expect(error).to.be.instanceOf(LoadError).with.property("kind", "retriable");
    expect(error).to.have.property("message").that.includes(`${CERTIFICATE} holds no certificate yet`);
    store.values.set(CERTIFICATE, published);
    await pool.query("SELECT 1");
  });

  it("names the endpoint to check when no parameter store answers, and recovers by itself", async () => {
    store.failures = Number.POSITIVE_INFINITY;
    const error = await pool.prepare().catch((failure: LoadError) => failure);
    expect(error).to.be.instanceOf(LoadError).with.property("kind", "retriable");
    expect(error)
      .to.have.property("message")
      .that.matches(/cannot be read .*: check the ssm endpoint/);
    store.failures = 0;
    await pool.prepare();
  });

  function open(changes: Partial<WarehouseEnvironment>): RenewingPool {
    const warehouse: WarehouseEnvironment = {
      host: "127.0.0.1",
      port: postgres.port,
      user: "etl_writer",
      database: database.config.database,
      password: { parameter: PASSWORD },
      ssl: "verify-full",
      sslCaParameter: CERTIFICATE,
      ...changes,
    };
    const ssm = createSsmClient({ region: "ap-southeast-1", endpoint: store.url, s3Endpoint: null });
    return new RenewingPool(async (version) =>
      createPool(warehouse, await readSecrets(warehouse, ssm, version), { applicationName: "SBW_Lamda_ETL" }),
    );
  }

  async function changePassword(password: string): Promise<void> {
    await database.pool.query(`ALTER ROLE etl_writer PASSWORD '${password}'`);
    store.values.set(PASSWORD, password);
  }

  async function dropConnections(): Promise<void> {
    await database.pool.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'etl_writer'",
    );
  }

  /** When new connections meet the new settings: they inherit the time at which the server read them. */
  async function reload(): Promise<void> {
    const before = await settingsReadAt();
    await database.pool.query("SELECT pg_reload_conf()");
    await until("the settings are read", async () => (await settingsReadAt()) !== before);
  }

  async function settingsReadAt(): Promise<string> {
    const client = new pg.Client(database.config);
    await client.connect();
    const { rows } = await client.query("SELECT pg_conf_load_time()::text AS at");
    await client.end();
    return rows[0].at;
  }
});

/** Ends a backend and returns when it is gone, without a turn of the event loop in which the driver could notice. */
function endUnseen(pid: number): void {
  const idle = new Int32Array(new SharedArrayBuffer(4));
  process.kill(pid, "SIGTERM");
  while (isThere(pid)) Atomics.wait(idle, 0, 0, 5);
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Puts a new self-signed certificate for 127.0.0.1 where the server looks for it. @returns its PEM */
function useNewCertificate({ dataDir }: TestPostgres): string {
  const [key, certificate] = [join(dataDir, "server.key"), join(dataDir, "server.crt")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject, "-keyout", key, "-out", certificate],
    { stdio: "ignore" },
  );
  const { uid, gid } = statSync(dataDir);
  for (const file of [key, certificate]) chownSync(file, uid, gid);
  return readFileSync(certificate, "utf8");
}
