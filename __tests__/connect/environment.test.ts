import { expect } from "chai";
import { type Env, EnvironmentError, readEtlEnvironment } from "../../connect/environment.js";

const COMPLETE = {
  DWH_HOST: "10.0.128.10",
  DWH_PORT: "5432",
  DWH_USER: "etl_writer",
  DWH_PASSWORD_PARAMETER: "/sbw/dwh/etl_writer",
  DWH_DATABASE: "clickstream_dw",
  DWH_SSL_CA_PARAMETER: "/sbw/dwh/certificate",
  RAW_BUCKET: "clickstream-s3-ingest",
  AWS_REGION: "ap-southeast-1",
};

describe("the function's environment", () => {
  it("is read with the documented defaults", () => {
    const { DWH_PORT: _, ...env } = COMPLETE;
    expect(readEtlEnvironment(env)).to.deep.equal({
      aws: { region: "ap-southeast-1", endpoint: null, s3Endpoint: null },
      warehouse: {
        host: "10.0.128.10",
        port: 5432,
        user: "etl_writer",
        database: "clickstream_dw",
        password: { parameter: "/sbw/dwh/etl_writer" },
        ssl: "verify-full",
        sslCaParameter: "/sbw/dwh/certificate",
      },
      rawBucket: "clickstream-s3-ingest",
      lookbackHours: 72,
      recentHours: 2,
      lakeBucket: null,
      retention: { events: 0, rejects: 0, runs: 0 },
      details: { keepIp: false },
    });
  });

  for (const key of ["DWH_HOST", "DWH_USER", "DWH_DATABASE", "RAW_BUCKET", "AWS_REGION"]) {
    it(`names ${key} when it is missing or empty`, () => {
      for (const value of [undefined, ""]) {
        const read = () => readEtlEnvironment({ ...COMPLETE, [key]: value });
        expect(read).to.throw(EnvironmentError, new RegExp(`^${key} is not set: it has to name .*\\.$`));
      }
    });
  }

  it("wants a password or the parameter that holds it", () => {
    expect(() => readEtlEnvironment({ ...COMPLETE, DWH_PASSWORD_PARAMETER: "" })).to.throw(
      /^Neither DWH_PASSWORD nor DWH_PASSWORD_PARAMETER is set/,
    );
  });

  it("takes the password given over the parameter's", () => {
    const { warehouse } = readEtlEnvironment({ ...COMPLETE, DWH_PASSWORD: "secret" });
    expect(warehouse.password).to.deep.equal({ value: "secret" });
  });

  const bad: [string, string, string][] = [
    ["DWH_PORT", "0", 'DWH_PORT has to be a whole number from 1 to 65535, but is "0".'],
    ["DWH_PORT", "65536", 'DWH_PORT has to be a whole number from 1 to 65535, but is "65536".'],
    ["DWH_PORT", "5432x", 'DWH_PORT has to be a whole number from 1 to 65535, but is "5432x".'],
    ["ETL_LOOKBACK_HOURS", "0", 'ETL_LOOKBACK_HOURS has to be a whole number from 1 to 2160, but is "0".'],
    [
      "ETL_RETENTION_DAYS",
      "2",
      'ETL_RETENTION_DAYS has to be 0 or at least ETL_LOOKBACK_HOURS (72 h), but is "2".',
    ],
    ["DWH_SSL", "prefer", 'DWH_SSL has to be one of disable, require, verify-full, but is "prefer".'],
    ["ETL_DETAILS", "yes", 'ETL_DETAILS has to be one of true, false, but is "yes".'],
    ["AWS_ENDPOINT_URL", "moto", 'AWS_ENDPOINT_URL has to be an http or https address, but is "moto".'],
  ];
  for (const [key, value, message] of bad) {
    it(`refuses ${key}=${value} with the rule and the value`, () => {
      expect(() => readEtlEnvironment({ ...COMPLETE, [key]: value })).to.throw(EnvironmentError, message);
    });
  }

  it("switches the details, and what they keep of IP addresses", () => {
    const details = (env: Env) => readEtlEnvironment({ ...COMPLETE, ...env }).details;
    expect(details({ ETL_KEEP_IP: "true" })).to.deep.equal({ keepIp: true });
    expect(details({ ETL_DETAILS: "false", ETL_KEEP_IP: "true" })).to.equal(null);
  });

  it("keeps TLS off by default on the loopback interface only", () => {
    const sslAt = (host: string) => readEtlEnvironment({ ...COMPLETE, DWH_HOST: host }).warehouse.ssl;
    expect(["localhost", "127.0.0.1", "::1"].map(sslAt)).to.deep.equal(["disable", "disable", "disable"]);
    expect(["10.0.128.10", "postgres"].map(sslAt)).to.deep.equal(["verify-full", "verify-full"]);
  });

  it("points S3 at its own endpoint, else at the common one", () => {
    const common = { ...COMPLETE, AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
    expect(readEtlEnvironment(common).aws.s3Endpoint).to.equal("http://127.0.0.1:1");
    const own = { ...common, AWS_ENDPOINT_URL_S3: "http://127.0.0.1:2" };
    expect(readEtlEnvironment(own).aws).to.include({
      endpoint: "http://127.0.0.1:1",
      s3Endpoint: "http://127.0.0.1:2",
    });
  });
});
