import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { gets, reset, slowDown, startS3, type TestS3, truncateAfter } from "../../testing/s3/s3.js";

/** What a file system would not take, and what HTTP and XML have opinions about. */
const HOSTILE_KEYS = [
  "events/a//b.json",
  "events/../up.json",
  "events/./here.json",
  "events/%2e%2e/percent.json",
  "events/a b+c&d=e;f'g\"h<i>.json",
  "events/giỏ hàng/😀.json",
  "events/tab\tand\nline.json",
  "events/folder/",
  `events/${"x".repeat(300)}.json`,
];

describe("the S3 server of the tests", () => {
  let s3: TestS3;
  const list = (input: Partial<ListObjectsV2CommandInput> = {}) =>
    s3.client.send(new ListObjectsV2Command({ Bucket: s3.bucket, EncodingType: "url", ...input }));
  const get = (key: string, more: object = {}) =>
    s3.client.send(new GetObjectCommand({ Bucket: s3.bucket, Key: key, ...more }));

  beforeEach(async () => {
    s3 = await startS3();
  });
  afterEach(() => s3.stop());

  it("lists in pages of a thousand, in the order of keys, with a delimiter", async () => {
    for (let n = 2499; n >= 0; n--) s3.put(`events/d/${String(n).padStart(4, "0")}`, `${n}`);
    s3.put("events/top", "");
    const sizes: number[] = [];
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const page = await list({ Prefix: "events/d/", ...(token && { ContinuationToken: token }) });
      sizes.push(page.Contents?.length ?? 0);
      keys.push(...(page.Contents ?? []).map(({ Key = "" }) => Key));
      token = page.NextContinuationToken;
    } while (token);
    expect(sizes).to.deep.equal([1000, 1000, 500]);
    expect(keys).to.deep.equal([...keys].sort());
    const shallow = await list({ Prefix: "events/", Delimiter: "/" });
    expect(shallow.CommonPrefixes).to.deep.equal([{ Prefix: "events/d/" }]);
    expect(shallow.Contents?.map(({ Key }) => Key)).to.deep.equal(["events/top"]);
  });

  it("takes any key, and gives it back", async () => {
    for (const key of HOSTILE_KEYS) s3.put(key, key);
    const { Contents = [] } = await list();
    const listed = Contents.map(({ Key = "" }) => decodeURIComponent(Key.replaceAll("+", " ")));
    expect(listed).to.have.members(HOSTILE_KEYS);
    for (const key of HOSTILE_KEYS)
      expect(await (await get(key)).Body?.transformToString(), key).to.equal(key);
  });

  it("holds a reader to a version, a range and a date", async () => {
    const lastModified = new Date("2025-12-06T05:00:00.000Z");
    const old = s3.put("events/a", "0123456789", { lastModified });
    const found = await s3.client.send(new HeadObjectCommand({ Bucket: s3.bucket, Key: "events/a" }));
    expect([found.ETag, found.LastModified]).to.deep.equal([`"${old}"`, lastModified]);
    const part = await get("events/a", { IfMatch: `"${old}"`, Range: "bytes=4-" });
    expect(await part.Body?.transformToString()).to.equal("456789");
    const [from, end] = [
      await get("events/a", { Range: "bytes=2-3" }),
      await get("events/a", { Range: "bytes=-3" }),
    ];
    expect([await from.Body?.transformToString(), from.ContentRange]).to.deep.equal(["23", "bytes 2-3/10"]);
    expect(await end.Body?.transformToString()).to.equal("789");
    const outside = await get("events/a", { Range: "bytes=10-" }).catch((error) => error);
    expect(outside.$metadata.httpStatusCode).to.equal(416);
    expect(s3.put("events/a", "other")).not.to.equal(old);
    const refused = await get("events/a", { IfMatch: `"${old}"` }).catch((error) => error);
    expect(refused.$metadata.httpStatusCode).to.equal(412);
  });

  it("refuses what is not signed by its account", async () => {
    const { endpoint, bucket } = s3;
    const stranger = new S3Client({
      endpoint,
      region: "ap-southeast-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "TESTING", secretAccessKey: "wrong" },
    });
    const refused = await stranger.send(new ListObjectsV2Command({ Bucket: bucket })).catch((error) => error);
    expect(refused.name).to.equal("SignatureDoesNotMatch");
    expect((await fetch(`${endpoint}/${bucket}/x`)).status).to.equal(403);
    expect((await list({ Bucket: "elsewhere" }).catch((error) => error)).name).to.equal("NoSuchBucket");
    expect((await get("nothing").catch((error) => error)).name).to.equal("NoSuchKey");
  });

  it("fails as asked, and counts", async () => {
    s3.put("events/a", "x".repeat(1000));
    const busy = s3.fault(slowDown(), { times: 1 });
    await list(); // the SDK retries by itself
    expect([busy.hits, s3.requests.map(({ status }) => status)]).to.deep.equal([1, [503, 200]]);
    const cut = s3.fault(truncateAfter(400), { when: gets("events/a") });
    const { Body } = await get("events/a");
    expect(await Body?.transformToString().catch((error: Error) => error)).to.be.instanceOf(Error);
    cut.lift();
    s3.fault(reset(), { when: gets(), times: 1 });
    s3.forget();
    expect(await (await get("events/a")).Body?.transformToString()).to.have.length(1000);
    expect(s3.requests.map(({ operation, status }) => [operation, status])).to.deep.equal([
      ["GetObject", null],
      ["GetObject", 200],
    ]);
  });
});
