import { expect } from "chai";
import { ExtractError } from "../../../etl-lib/src/errors.js";
import { listError, readError, refusal, statusError } from "../../../etl-lib/src/extract/s3-errors.js";

const OBJECT = {
  bucket: "clickstream-s3-ingest",
  key: "events/2025/12/06/05/event-1.json",
  etag: "v1",
  size: 2,
  lastModified: new Date(0),
};
const NAME = `${OBJECT.bucket}/${OBJECT.key}`;

/** A refusal, or without a status an error on the way. */
const failure = (name: string, status?: number) =>
  status === undefined
    ? Object.assign(new Error(`${name} happened`), { name })
    : refusal(status, `<Error><Code>${name}</Code><Message>${name} happened</Message></Error>`);
const answer = (code: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>…</Message></Error>`;

describe("an error of S3", () => {
  describe("while listing", () => {
    for (const [name, status, kind, advice] of [
      ["NoSuchBucket", 404, "fatal", "RAW_BUCKET"],
      ["AccessDenied", 403, "fatal", "s3:ListBucket"],
      ["InvalidAccessKeyId", 403, "fatal", "credentials"],
      ["SignatureDoesNotMatch", 403, "fatal", "credentials"],
      ["PermanentRedirect", 301, "fatal", "AWS_REGION"],
      ["CredentialsProviderError", undefined, "fatal", "AWS_PROFILE"],
      ["ExpiredToken", 400, "fatal", "ExpiredToken"],
      ["InvalidArgument", 400, "fatal", "InvalidArgument"],
      ["SlowDown", 503, "retriable", "SlowDown"],
      ["ServiceUnavailable", 503, "retriable", "ServiceUnavailable"],
      ["InternalError", 500, "retriable", "InternalError"],
      ["BadGateway", 502, "retriable", "BadGateway"],
      ["Throttling", 400, "retriable", "Throttling"],
      ["RequestTimeout", 400, "retriable", "RequestTimeout"],
      ["TooManyRequestsException", 429, "retriable", "TooManyRequests"],
      ["TimeoutError", undefined, "retriable", "TimeoutError"],
      ["ECONNRESET", undefined, "retriable", "ECONNRESET"],
    ] as const)
      it(`${name}${status ? ` (${status})` : ""} is ${kind}`, () => {
        const cause = failure(name, status);
        const error = listError(cause, OBJECT.bucket);
        expect(error).to.be.instanceOf(ExtractError);
        expect(error).to.include({ kind, stage: "extract", object: null, cause });
        expect(error.message).to.include(advice).and.to.include(OBJECT.bucket);
      });
  });

  describe("as the answer to a read", () => {
    for (const [status, body, kind, says] of [
      [404, answer("NoSuchKey"), "changed", "replaced or removed"],
      [412, answer("PreconditionFailed"), "changed", "replaced or removed"],
      [403, answer("AccessDenied"), "fatal", "s3:GetObject"],
      [403, "", "fatal", "HTTP 403"],
      [403, answer("InvalidObjectState"), "fatal", "InvalidObjectState"],
      [400, answer("ExpiredToken"), "fatal", "ExpiredToken"],
      [301, answer("PermanentRedirect"), "fatal", "PermanentRedirect"],
      [400, answer("RequestTimeout"), "retriable", "RequestTimeout"],
      [429, "", "retriable", "HTTP 429"],
      [500, answer("InternalError"), "retriable", "InternalError"],
      [502, "<html>Bad Gateway</html>", "retriable", "HTTP 502"],
      [503, answer("SlowDown"), "retriable", "SlowDown"],
      [504, "", "retriable", "HTTP 504"],
    ] as const)
      it(`${status} ${/<Code>(.*)<\/Code>/.exec(body)?.[1] ?? "without a code"} is ${kind}`, () => {
        const error = statusError(status, body, OBJECT);
        expect(error).to.include({ kind, stage: "extract", object: NAME });
        expect(error.message).to.include(says).and.to.include(OBJECT.key);
      });
  });

  describe("within a read", () => {
    it("that broke off is retriable and names the object", () => {
      const cause = new Error("other side closed");
      expect(readError(cause, OBJECT)).to.include({
        kind: "retriable",
        stage: "extract",
        object: NAME,
        cause,
      });
    });
    it("for want of credentials is fatal", () => {
      const error = readError(failure("CredentialsProviderError"), OBJECT);
      expect(error).to.include({ kind: "fatal", object: NAME });
      expect(error.message).to.include("credentials");
    });
  });
});
