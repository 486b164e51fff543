import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { SignedGet } from "../../../etl-lib/src/extract/signed-get.js";
import { isSigned } from "../../../testing/s3/signature.js";

const ACCOUNT = { accessKeyId: "key", secretAccessKey: "secret" };

/** What a key holds, and how it must go over the wire. */
const KEYS: readonly [what: string, key: string, path: string][] = [
  ["nothing to encode", "events/2025/12/06/05/event-1_~.json", "events/2025/12/06/05/event-1_~.json"],
  ["a space", "events/a b", "events/a%20b"],
  ["a plus", "events/a+b", "events/a%2Bb"],
  ["a percent sign", "events/100%", "events/100%25"],
  ["what looks encoded", "events/a%20b%2Fc", "events/a%2520b%252Fc"],
  ["Vietnamese", "events/sự kiện", "events/s%E1%BB%B1%20ki%E1%BB%87n"],
  ["a character of four bytes", "events/🛒", "events/%F0%9F%9B%92"],
  ["quotes", `events/'a'"b"\`c\``, "events/%27a%27%22b%22%60c%60"],
  ["what encodeURIComponent leaves", "events/!*()'", "events/%21%2A%28%29%27"],
  ["what ends a path", "events/a?b#c", "events/a%3Fb%23c"],
  ["what separates parameters", "events/a&b=c;d:e@f$g,h", "events/a%26b%3Dc%3Bd%3Ae%40f%24g%2Ch"],
  ["brackets and bars", "events/[a]{b}|c\\d^e<f>", "events/%5Ba%5D%7Bb%7D%7Cc%5Cd%5Ee%3Cf%3E"],
  ["control characters", "events/a\tb\nc\u007f", "events/a%09b%0Ac%7F"],
  ["dots", "events/./a/../b", "events/./a/../b"],
  ["empty segments", "events//a", "events//a"],
  ["a slash at its end", "events/2025/", "events/2025/"],
];

describe("SignedGet", () => {
  let server: Server;
  let get: SignedGet;
  let client: S3Client;
  const requests: { path: string; signed: boolean; ifMatch: string | undefined }[] = [];

  before(async () => {
    server = createServer((request, response) => {
      requests.push({
        path: request.url as string,
        signed: isSigned(request, ACCOUNT),
        ifMatch: request.headers["if-match"],
      });
      response.end("{}");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    client = new S3Client({
      endpoint: `http://127.0.0.1:${port}`,
      region: "ap-southeast-1",
      forcePathStyle: true,
      credentials: ACCOUNT,
    });
    get = new SignedGet(client, "clickstream-s3-ingest", 4);
  });
  after(async () => {
    await get.close();
    client.destroy();
    server.close();
  });

  for (const [what, key, path] of KEYS)
    it(`asks for a key with ${what} as S3 names it, under a signature that holds`, async () => {
      requests.length = 0;
      const { statusCode, body } = await get.get(key, { "if-match": '"v1"' });
      expect(statusCode).to.equal(200);
      expect(await body.text()).to.equal("{}");
      expect(requests).to.deep.equal([
        { path: `/clickstream-s3-ingest/${path}`, signed: true, ifMatch: '"v1"' },
      ]);
      expect(decodeURIComponent(path)).to.equal(key);
    });
});
