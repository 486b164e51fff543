import { existsSync, readFileSync } from "node:fs";
import tls from "node:tls";
import { expect } from "chai";
import { type Connection, libpqEnvironment } from "../../connect/connection.js";

const connection: Connection = {
  host: "dwh.example",
  port: 5433,
  user: "etl_writer",
  password: "s3cret",
  database: "clickstream_dw",
  ssl: "require",
  ca: null,
};

describe("a connection as libpq's environment", () => {
  it("names place, user and mode, and no certificate where none is checked", () => {
    expect(libpqEnvironment(connection).env).to.deep.equal({
      PGHOST: "dwh.example",
      PGPORT: "5433",
      PGUSER: "etl_writer",
      PGPASSWORD: "s3cret",
      PGDATABASE: "clickstream_dw",
      PGSSLMODE: "require",
    });
  });

  it("brings the certificate as a file, until it is removed", () => {
    const { env, remove } = libpqEnvironment({ ...connection, ssl: "verify-full", ca: "PEM" });
    const file = env.PGSSLROOTCERT as string;
    expect(readFileSync(file, "utf8")).to.equal("PEM");
    remove();
    expect(existsSync(file)).to.equal(false);
  });

  it("trusts what Node trusts where no certificate is named: `system` would need libpq 16", () => {
    const { env, remove } = libpqEnvironment({ ...connection, ssl: "verify-full" });
    expect(readFileSync(env.PGSSLROOTCERT as string, "utf8")).to.include(tls.rootCertificates[0]);
    remove();
  });
});
