import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { eraseFromLake, exportLake } from "etl-lib";
import { s3Lake } from "etl-lib/s3";
import { type Moto, startMoto } from "../../testing/aws/moto.js";
import { event, hourKey, json } from "../../testing/lab/events.js";
import { type Lab, openLab } from "../../testing/lab/lab.js";

const BUCKET = "years-of-the-shop";
const FILE = "lake/clickstream_events/day=2025-12-06/part-0000.parquet";

describe("the lake in a bucket, on an emulator of AWS", () => {
  let moto: Moto;
  let lab: Lab;
  let client: S3Client;
  before(async () => {
    [moto, lab] = [await startMoto(null), await openLab()];
    client = new S3Client({
      region: "ap-southeast-1",
      endpoint: moto.url,
      forcePathStyle: true,
      credentials: { accessKeyId: "emulator", secretAccessKey: "emulator" },
    });
    const CreateBucketConfiguration = { LocationConstraint: "ap-southeast-1" } as const;
    await client.send(new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration }));
  });
  after(async () => {
    await lab?.close();
    await moto?.stop();
  });

  const keys = async () =>
    ((await client.send(new ListObjectsV2Command({ Bucket: BUCKET }))).Contents ?? []).map(({ Key }) => Key);
  const store = () => s3Lake(client, BUCKET, "lake");

  it("gets the days of a run, whose draft does not stay, and is verified from there", async () => {
    lab.s3.put(hourKey("a.json"), json([event(1, { userId: "u-1" }), event(2)]));
    const { lake, errors } = await lab.run({ lake: store(), keepsLate: true });
    expect(errors).to.deep.equal([]);
    expect(lake).to.deep.equal({ days: 1, rows: 2, late: 0, waiting: 0, failed: false });
    expect(await keys()).to.deep.equal([FILE]);
    const { etag, bytes } = await lab.row("SELECT etag, bytes::int FROM etl.exports");
    expect(etag).to.match(/^[0-9a-f]{32}/);
    expect(bytes).to.be.greaterThan(500);
  });

  it("is written over by a late load, and without a person", async () => {
    lab.s3.put(hourKey("late.json"), json(event(3)));
    expect((await lab.run({ lake: store() })).lake).to.include({ days: 1, rows: 3 });
    const who = { userIds: new Set(["u-1"]) };
    expect(await eraseFromLake(lab.db.pool, store(), who)).to.deep.equal({
      files: 1,
      rows: 1,
      isComplete: true,
    });
    expect(await keys()).to.deep.equal([FILE]);
  });

  it("that is not there is one sentence in the run's errors, and the run is well", async () => {
    await lab.db.pool.query("TRUNCATE etl.exports");
    const { status, lake, errors } = await lab.run({ lake: s3Lake(client, "no-such-bucket", "lake") });
    expect(status).to.equal("skipped");
    expect(lake).to.include({ days: 0, failed: true });
    expect(errors.map(({ message }) => message)).to.deep.equal([
      "The lake's bucket no-such-bucket does not exist: check LAKE_BUCKET.",
    ]);
    expect(await exportLake(lab.db.pool, store()), "the next run does it").to.include({ days: 1 });
  });
});
