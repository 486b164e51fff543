import { expect } from "chai";
import { status, verify } from "etl-lib";
import { s3Source } from "etl-lib/s3";
import { DAY, dayKey, event, events, gzip, hourKey, json, ndjson, uuid } from "../../testing/lab/events.js";
import { expectIdentity } from "../../testing/lab/identity.js";
import { counts, type Lab, openLab } from "../../testing/lab/lab.js";
import { gets } from "../../testing/s3/s3.js";

const BOM = "\uFEFF";

describe("integration: layouts of the raw events", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
  });
  afterEach(() => lab.close());

  const ids = async () =>
    (await lab.db.pool.query("SELECT event_id FROM public.clickstream_events ORDER BY 1")).rows.map(
      ({ event_id }) => event_id,
    );

  it("loads an event an object, arrays, NDJSON and values one after another, in both key layouts", async () => {
    const { s3 } = lab;
    s3.put(hourKey("event-1.json"), json(event(1)));
    s3.put(dayKey("event-2.json"), json(event(2)));
    s3.put(hourKey("array.json", "00"), json(events(3, 6)));
    s3.put(dayKey("lines.ndjson"), ndjson(events(6, 9)));
    s3.put(hourKey("crlf.ndjson", "23"), ndjson(events(9, 12), "\r\n"));
    s3.put(dayKey("concatenated.json"), events(12, 15).map(json).join(""));
    s3.put(
      hourKey("printed.json"),
      events(15, 17)
        .map((value) => JSON.stringify(value, null, 2))
        .join("\n"),
    );
    const { status, events: loaded, objects } = await lab.run();
    expect([status, loaded]).to.deep.equal(["succeeded", counts(16, 16)]);
    expect(objects).to.include({ listed: 7, loaded: 7 });
    expect(await ids()).to.deep.equal(Array.from({ length: 16 }, (_, n) => uuid(n + 1)));
  });

  it("tells gzip by its bytes and drops a byte-order mark, whatever the name says", async () => {
    const { s3 } = lab;
    s3.put(hourKey("plain-name.json"), gzip(json(event(1))));
    s3.put(hourKey("array.json.gz"), gzip(BOM + json(events(2, 4))));
    s3.put(hourKey("not-gzip.json.gz"), json(event(4)));
    s3.put(dayKey("bom.ndjson"), BOM + ndjson(events(5, 7), "\r\n"));
    s3.put(dayKey("bom.json"), BOM + json(event(7)));
    s3.put(dayKey("members.gz"), Buffer.concat([gzip(ndjson(events(8, 10))), gzip(ndjson(events(10, 12)))]));
    expect((await lab.run()).events).to.deep.equal(counts(11, 11));
    expect(await ids()).to.deep.equal(Array.from({ length: 11 }, (_, n) => uuid(n + 1)));
  });

  it("takes objects without an event, and keys that are folders, once", async () => {
    lab.s3.put(dayKey("zero.json"), "");
    lab.s3.put(hourKey(""), "");
    lab.s3.put(dayKey("blank.json"), " \r\n ");
    lab.s3.put(dayKey("empty.json"), "[]");
    lab.s3.put(dayKey("empty.json.gz"), gzip(""));
    const { events, objects } = await lab.run();
    expect([events, objects.loaded]).to.deep.equal([counts(0, 0), 5]);
    expect((await lab.run()).status).to.equal("skipped");
  });

  it("quarantines what cannot become a row, with cause, place and text", async () => {
    const deep = `${'{"a":'.repeat(70)}1${"}".repeat(70)}`;
    lab.s3.put(dayKey("1.ndjson"), `${json(event(1))}\n{"eventName":\n${json(event(2))}\n`);
    lab.s3.put(dayKey("2.json"), `[${json(event(3))},17,null,[${json(event(4))}]]`);
    lab.s3.put(dayKey("3.json"), json({ eventId: uuid(5) }));
    lab.s3.put(dayKey("4.json"), deep);
    lab.s3.put(dayKey("5.json"), json(event(6, { pageUrl: "x".repeat(1024 * 1024) })));
    lab.s3.put(dayKey("6.json"), gzip(ndjson(events(7, 400))).subarray(0, 1500));
    lab.s3.put(dayKey("7.json"), "\0\uD800 not json \0");
    const { rejects, events: loaded } = await lab.run();
    expect(rejects).to.deep.equal({
      invalid_json: 2,
      not_an_object: 3,
      missing_event_name: 1,
      too_deep: 1,
      too_large: 1,
      invalid_gzip: 1,
    });
    expect(loaded.rejected).to.equal(9);
    const { rows } = await lab.db.pool.query(
      "SELECT key, position::int, cause, length(raw) > 0 AS kept FROM etl.rejects ORDER BY key, position LIMIT 4",
    );
    expect(rows).to.deep.equal([
      { key: dayKey("1.ndjson"), position: 1, cause: "invalid_json", kept: true },
      { key: dayKey("2.json"), position: 1, cause: "not_an_object", kept: true },
      { key: dayKey("2.json"), position: 2, cause: "not_an_object", kept: true },
      { key: dayKey("2.json"), position: 3, cause: "not_an_object", kept: true },
    ]);
  });

  it("counts most of the rejects of an object that is full of them, and the identity holds", async () => {
    lab.s3.put(hourKey("bomb.json"), gzip("1\n".repeat(300_000)));
    lab.s3.put(hourKey("good.json"), json(event(1)));
    const { events: loaded, rejects } = await lab.run();
    expect([loaded, rejects]).to.deep.equal([counts(300_001, 1, 0, 300_000), { not_an_object: 300_000 }]);
    expect(
      await lab.row("SELECT count(*)::int AS kept, sum(records)::int AS all FROM etl.rejects"),
    ).to.deep.equal({
      kept: 1001,
      all: 300_000,
    });
    const source = s3Source({ client: lab.s3.client, bucket: lab.s3.bucket });
    expect((await verify(lab.db.pool, { source, window: DAY })).gaps).to.deep.equal([]);
    await source.close();
    expect((await status(lab.db.pool)).rejects).to.deep.equal({ not_an_object: 300_000 });
  });

  it("reads only the hours of the window, and what lies directly below its days", async () => {
    const { s3 } = lab;
    for (const hour of ["04", "05", "06", "07"])
      s3.put(hourKey(`${hour}.json`, hour), json(event(Number(hour))));
    s3.put(dayKey("day.json"), json(event(1)));
    s3.put(dayKey("other/deep/x.json"), json(event(2)));
    s3.put("events/2025/12/07/00/next.json", json(event(3)));
    s3.put("events/2025/12/05/23/previous.json", json(event(8)));
    const window = { from: new Date("2025-12-06T05:30:00Z"), to: new Date("2025-12-06T07:00:00Z") };
    await lab.run({ window });
    expect(await ids()).to.deep.equal([1, 2, 5, 6].map(uuid));
    const evening = { from: new Date("2025-12-05T23:00:00Z"), to: new Date("2025-12-07T01:00:00Z") };
    expect((await lab.run({ window: evening })).objects).to.include({
      listed: 8,
      alreadyLoaded: 4,
      loaded: 4,
    });
  });

  it("loads any key, and keeps it to the letter", async () => {
    const keys = [
      "events/2025/12/06/'; DROP TABLE clickstream_events;--.json",
      'events/2025/12/06/"quoted" \\ and $1 {a,b}.json',
      "events/2025/12/06/giỏ hàng/😀 100%.json",
      "events/2025/12/06/a b+c%20d%2F&=?#.json",
      "events/2025/12/06/tab\tand\nline.json",
      "events/2025/12/06//empty//segments.json",
      "events/2025/12/06/../up.json",
      "events/2025/12/06/./here.json",
      "events/2025/12/06/%2e%2e/percent.json",
      `events/2025/12/06/${"x".repeat(900)}.json`,
    ];
    for (const [n, key] of keys.entries()) lab.s3.put(key, `${json(event(n))}\n{bad\n`);
    const summary = await lab.run();
    expect([summary.status, summary.events]).to.deep.equal(["succeeded", counts(20, 10, 0, 10)]);
    for (const table of ["etl.objects", "etl.rejects"]) {
      const { rows } = await lab.db.pool.query(`SELECT key FROM ${table}`);
      expect(
        rows.map(({ key }) => key),
        table,
      ).to.have.members(keys);
    }
    expect((await lab.run()).objects).to.include({ listed: 10, alreadyLoaded: 10 });
  });

  it("goes on without an object whose key PostgreSQL cannot hold", async () => {
    lab.s3.put("events/2025/12/06/nul\0.json", json(event(1)));
    lab.s3.put(dayKey("good.json"), json(event(2)));
    const summary = await lab.run();
    expect(await ids()).to.deep.equal([uuid(2)]);
    expect(summary.status).to.equal("partial");
    expect(summary.error?.message).to.include("nul");
  });

  it("lists three pages, loads them in several batches, and lists only the second time", async () => {
    for (let n = 0; n < 2500; n++) lab.s3.put(hourKey(`event-${uuid(n)}.json`), json(event(n)));
    for (let n = 0; n < 1050; n++) lab.s3.put(dayKey(`event-${uuid(n)}.json`), json(event(n + 2000)));
    const first = await lab.run({ batchRows: 400 });
    expect(first.events).to.deep.equal(counts(3550, 3050, 500));
    expect(first.objects).to.include({ listed: 3550, loaded: 3550 });
    lab.s3.forget();
    const before = await written();
    const lookUps = countLookUps();
    const second = await lab.runUnchecked({ batchRows: 400 });
    expect([second.status, second.objects.alreadyLoaded]).to.deep.equal(["skipped", 3550]);
    expect(new Set(lab.s3.requests.map(({ operation }) => operation))).to.deep.equal(
      new Set(["ListObjectsV2"]),
    );
    expect(lab.s3.requests.filter(gets())).to.have.length(0);
    expect(lookUps(), "one look-up in the ledger for each page that holds something").to.equal(5);
    expect(await written(), "only the row of the run itself").to.deep.equal(before);
    await expectIdentity(lab.db.pool, second);
  });

  /** How often a row of the warehouse was written since its creation. */
  const written = () =>
    lab.row(
      `SELECT max(xmin::text::bigint) AS newest, count(*) AS n FROM
         (SELECT xmin FROM public.clickstream_events UNION ALL SELECT xmin FROM etl.objects) AS t`,
    );

  function countLookUps(): () => number {
    let seen = 0;
    const { query } = lab.db.pool;
    lab.db.pool.query = ((...args: Parameters<typeof query>) => {
      if (/FROM etl\.objects/.test(String(args[0]))) seen++;
      return query.apply(lab.db.pool, args);
    }) as typeof query;
    return () => {
      lab.db.pool.query = query;
      return seen;
    };
  }
});
