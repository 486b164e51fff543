import { expect } from "chai";
import { explainConnectionError } from "../../connect/explain.js";

describe("a connection that fails", () => {
  const connection = {
    host: "dwh.example",
    port: 5433,
    user: "etl_writer",
    password: "s3cret",
    database: "clickstream_dw",
    ssl: "require",
    ca: null,
  } as const;
  const failed = (code: string, message = "failed") => Object.assign(new Error(message), { code });
  const cases: [string, Error, string[]][] = [
    ["a refused password", failed("28P01"), ["etl_writer", "DWH_USER", "DWH_PASSWORD"]],
    ["an unknown role", failed("28000"), ["etl_writer", "DWH_USER"]],
    ["a rule of pg_hba.conf", failed("28000", "no pg_hba.conf entry for host"), ["DWH_SSL", "require"]],
    ["no such database", failed("3D000"), ["clickstream_dw", "DWH_DATABASE"]],
    ["a host that is not known", failed("ENOTFOUND"), ["dwh.example", "DWH_HOST"]],
    ["nobody listening", failed("ECONNREFUSED"), ["dwh.example:5433", "DWH_HOST", "DWH_PORT"]],
    ["no answer", new Error("timeout expired"), ["dwh.example:5433", "DWH_HOST", "DWH_PORT"]],
    ["no TLS", new Error("The server does not support SSL connections"), ["DWH_SSL=disable"]],
    ["a certificate of its own", failed("DEPTH_ZERO_SELF_SIGNED_CERT"), ["DWH_SSL_CA_PARAMETER"]],
    ["a server that starts", failed("57P03"), ["try again"]],
    ["anything else", failed("XX000", "odd"), ["odd", "DWH_*"]],
  ];

  for (const [name, error, parts] of cases) {
    it(`by ${name} is one sentence that names what to change`, () => {
      const sentence = explainConnectionError(error, connection);
      for (const part of parts) expect(sentence).to.include(part);
      expect(sentence).to.match(/^[A-Z][^\n]*\.$/);
      expect(sentence).not.to.include("s3cret");
    });
  }
});
