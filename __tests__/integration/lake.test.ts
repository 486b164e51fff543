import { expect } from "chai";
import { eraseFromLake, exportLake, type LakeStore } from "etl-lib";
import { event, hourKey, json, uuid } from "../../testing/lab/events.js";
import { type Lab, openLab } from "../../testing/lab/lab.js";
import { openLake, type TestLake } from "../../testing/lab/lake.js";

const NOW = { now: new Date("2025-12-08T00:00:00Z") };
const FILE = "clickstream_events/day=2025-12-06/part-0000.parquet";
const LATE = FILE.replace("0000", "0001");

describe("integration: the lake", () => {
  let lab: Lab;
  let lake: TestLake;
  beforeEach(async () => {
    [lab, lake] = await Promise.all([openLab(), openLake()]);
  });
  afterEach(async () => {
    lake.remove();
    await lab.close();
  });

  const query = async (sql: string, values?: unknown[]) => (await lab.db.pool.query(sql, values)).rows;
  const put = (name: string, ...ids: (number | string)[]) =>
    lab.s3.put(hourKey(name), json(ids.map((id) => event(id))));
  const run = () => exportLake(lab.db.pool, lake.store, NOW);
  const inLake = async () =>
    (await lake.rows("SELECT event_id FROM lake ORDER BY 1")).map(({ event_id }) => event_id);
  const exported = () => query("SELECT part, rows::int, key FROM etl.exports ORDER BY part");
  /** As if loads had brought what a statement inserted. */
  const countAsLoaded = () =>
    query(`TRUNCATE etl.loaded_hours; INSERT INTO etl.loaded_hours (hour, rows, ids, details)
      SELECT date_bin('1 hour', e.event_timestamp, 'epoch'), count(*), sum(uuid_hash(e.event_id)::bigint), count(d.event_id)
      FROM public.clickstream_events e LEFT JOIN public.clickstream_event_details d USING (event_id) GROUP BY 1`);
  /** As a prune does it. */
  async function prune() {
    await query("UPDATE etl.retention SET kept_from = '2025-12-07T00:00Z'");
    expect(await query("SELECT etl.freeze_export('2025-12-06') AS done")).to.deep.equal([{ done: true }]);
    await query(`INSERT INTO etl.loaded_hours (hour, rows, ids, details, cause)
      SELECT hour, -sum(rows), -sum(ids), -sum(details), 'pruned' FROM etl.loaded_hours GROUP BY hour`);
    await query(
      "TRUNCATE public.clickstream_events, public.clickstream_event_details, public.clickstream_event_details",
    );
  }
  const late = (...ids: number[]) =>
    query(
      "INSERT INTO etl.late_events (event_id, event_timestamp, event_name) SELECT unnest($1::uuid[]), '2025-12-06T05:00Z', 'x'",
      [ids.map(uuid)],
    );

  it("holds the table row by row: types, time zones, hostile text, prices of any size", async () => {
    await query(`INSERT INTO public.clickstream_events
      SELECT gen_random_uuid(), t, 'page_view', text, NULL, '', 'a' || chr(9) || 'b', E'\\\\N', flag, E'line\\nbreak\\r\\\\', E'\\uFEFFBOM', 'Tai nghe', E'\\b\\f\\v', price, -price, '\\'
      FROM unnest(
        ARRAY['2025-12-06T00:00:00Z', '2025-12-06T23:59:59.999999Z', '2025-12-06 12:34:56.789+07', '2025-12-06T06:30:00.000001Z']::timestamptz[],
        ARRAY['x', NULL, '😀 chụp', '\\N'], ARRAY[true, false, NULL, true],
        ARRAY['18990000', '0.00010', '99999999999999.9999', '1e300']::numeric[]) AS t (t, text, flag, price)`);
    await query("INSERT INTO public.clickstream_events SELECT gen_random_uuid(), '2025-12-06T03:00Z', 'x'");
    await query(`INSERT INTO public.clickstream_event_details
      SELECT event_id, event_timestamp, 'https://a.example/?q=' || chr(9), NULL, 'a.example', 's', 'm', 'c', 'mobile', 'Chrome', 'Android', false,
        '{"b": [1, "x\\ty"], "a": null}' FROM public.clickstream_events WHERE event_name = 'page_view'`);
    await query(
      "INSERT INTO public.clickstream_events (event_id, event_timestamp, event_name, context_product_price) VALUES (gen_random_uuid(), '2025-12-06T04:00Z', 'y', 1.23456)",
    );
    await countAsLoaded();
    expect(await run()).to.deep.equal({ days: 1, rows: 6, late: 0, waiting: 0, errors: [] });
    const columns = (await lake.rows("SELECT * FROM (DESCRIBE FROM lake)")).map(
      ({ column_name, column_type }) => `${column_name} ${column_type}`,
    );
    expect(columns).to.include.members([
      "event_id VARCHAR",
      "event_timestamp TIMESTAMP WITH TIME ZONE",
      "is_first_visit BOOLEAN",
      "context_product_price DECIMAL(18,4)",
      "is_bot BOOLEAN",
      "extras VARCHAR",
    ]);
    const expected =
      await query(`SELECT e.event_id::text, (extract(epoch FROM e.event_timestamp) * 1000000)::bigint::text AS micros,
      e.event_name, user_id, user_login_state, identity_source, client_id, session_id, is_first_visit, context_product_id,
      replace(context_product_name, chr(65279), 'BOM+') AS name, context_product_category, context_product_brand,
      trim_scale(context_product_price)::text AS price, trim_scale(context_product_discount_price)::text AS discount,
      context_product_url_path, page_url, referrer, referrer_host, utm_source, utm_medium, utm_campaign, device, browser, os, is_bot, extras::text
      FROM public.clickstream_events e LEFT JOIN public.clickstream_event_details d USING (event_id, event_timestamp)
      ORDER BY e.event_timestamp, e.event_id`);
    const price = (column: string) =>
      `coalesce(beyond_decimal ->> '$.${column}', rtrim(rtrim(${column}::text, '0'), '.'))`;
    const found = await lake.rows(`SELECT event_id, epoch_us(event_timestamp)::text AS micros,
      event_name, user_id, user_login_state, identity_source, client_id, session_id, is_first_visit, context_product_id,
      replace(context_product_name, chr(65279), 'BOM+') AS name, context_product_category, context_product_brand,
      ${price("context_product_price")} AS price, ${price("context_product_discount_price")} AS discount,
      context_product_url_path, page_url, referrer, referrer_host, utm_source, utm_medium, utm_campaign, device, browser, os, is_bot, extras
      FROM lake ORDER BY lake.event_timestamp, event_id`);
    expect(found).to.deep.equal(expected);
    const order = await lake.rows(
      `SELECT (SELECT list(event_timestamp) = list_sort(list(event_timestamp)) FROM lake) AS sorted`,
    );
    expect(order).to.deep.equal([{ sorted: true }]);
  });

  it("takes closed days only, each once, and again after a late load", async () => {
    put("a.json", 1, 2);
    lab.s3.put(
      hourKey("next.json", "23"),
      json(event(3, { _ingest: { receivedAt: "2025-12-07T00:10:00Z" } })),
    );
    await lab.run();
    const open = await exportLake(lab.db.pool, lake.store, { now: new Date("2025-12-08T01:59:00Z") });
    expect(open).to.include({ days: 1, rows: 2, waiting: 0 });
    expect(lake.files()).to.deep.equal([FILE]);
    expect(await run()).to.include({ days: 0 });
    put("late.json", 4);
    await lab.run();
    expect(await run()).to.include({ days: 1, rows: 3 });
    expect(await inLake()).to.deep.equal([uuid(1), uuid(2), uuid(4)]);
    expect(lake.files()).to.deep.equal([FILE]);
    expect(await exportLake(lab.db.pool, lake.store)).to.include({ days: 1, rows: 1 });
  });

  it("keeps a good file when the table has lost rows, and says so", async () => {
    put("a.json", 1, 2);
    await lab.run();
    await run();
    put("b.json", 3);
    await lab.run();
    await query("DELETE FROM public.clickstream_events WHERE event_id = $1", [uuid(1)]);
    const { days, waiting, errors } = await run();
    expect({ days, waiting }).to.deep.equal({ days: 0, waiting: 1 });
    expect(errors.map(({ message }) => message)).to.match(
      /^2025-12-06 is not exported: loads brought 3 rows .* holds 2/,
    );
    expect(await inLake()).to.deep.equal([uuid(1), uuid(2)]);
  });

  it("is the old day or the new one, whatever step of an export is the last", async () => {
    put("a.json", 1, 2);
    await lab.run();
    await run();
    put("b.json", 3);
    await lab.run();
    const old = [uuid(1), uuid(2)];
    const fresh = [...old, uuid(3)];
    for (const [step, expected] of [
      ["create", old],
      ["write", old],
      ["close", old],
      ["open", old],
      ["publish", old],
      ["published", fresh],
    ] as const) {
      const failure = await exportLake(lab.db.pool, failing(lake.store, step), NOW).catch((error) => error);
      expect(failure, step).to.be.instanceOf(Error);
      expect(await inLake(), step).to.deep.equal(expected);
    }
    expect((await exported())[0]).to.include({ rows: 2 });
    expect(await run()).to.include({ days: 1, rows: 3 });
    expect(await inLake()).to.deep.equal(fresh);
    expect(lake.files(), "no draft stays").to.deep.equal([FILE]);
  });

  it("is not touched when what was written is read back as something else", async () => {
    put("a.json", 1, 2);
    await lab.run();
    const bad: LakeStore = {
      ...bound(lake.store),
      open: async (key) => {
        const file = await lake.store.open(key);
        const slice = async (start: number, end?: number) => changed(await file.slice(start, end));
        return { byteLength: file.byteLength, slice };
      },
    };
    const failure = await exportLake(lab.db.pool, bad, NOW).catch((error) => error);
    expect(failure.message).to.match(
      /was not read back as it was written \(2 rows of 2, or others\): it is not published\.$/,
    );
    expect(await exported()).to.deep.equal([]);
    expect(lake.files()).to.deep.equal([]);
  });

  it("leaves a day whole when the time is up, and goes on with it", async () => {
    put("a.json", 1, 2);
    await lab.run();
    let asked = 0;
    const cut = await exportLake(lab.db.pool, lake.store, { ...NOW, isTimeUp: () => ++asked > 5 });
    expect(cut).to.include({ days: 0, waiting: 1 });
    expect(lake.files()).to.deep.equal([]);
    expect(await run()).to.include({ days: 1 });
  });

  it("gets late events of a pruned day as a further file, without those it has", async () => {
    put("a.json", 1, 2);
    await lab.run();
    await run();
    await prune();
    await late(2, 7, 8);
    expect(await run()).to.include({ days: 0, late: 2, waiting: 0 });
    await late(8, 9);
    const broken = await exportLake(lab.db.pool, failing(lake.store, "published"), NOW).catch(
      (error) => error,
    );
    expect(broken).to.be.instanceOf(Error);
    expect(await run(), "over what the broken one wrote").to.include({ late: 1 });
    expect(await inLake()).to.deep.equal([1, 2, 7, 8, 9].map(uuid));
    expect(await exported()).to.deep.equal([
      { part: 0, rows: 2, key: FILE },
      { part: 1, rows: 2, key: LATE },
      { part: 2, rows: 1, key: FILE.replace("0000", "0002") },
    ]);
    expect(await query("SELECT FROM etl.late_events")).to.deep.equal([]);
  });

  it("keeps late events waiting while their day's rows are not frozen in a file", async () => {
    put("a.json", 1);
    await lab.run();
    await late(7);
    expect(await run()).to.include({ days: 1, late: 0 });
    expect(await query("SELECT FROM etl.late_events")).to.have.length(1);
  });

  it("forgets a person: files are written again without their rows, and a hot day is not stale by it", async () => {
    const pageUrl = "https://shop.example/";
    lab.s3.put(
      hourKey("u.json"),
      json([
        event(1, { userId: "u-1", pageUrl }),
        event(2, { pageUrl }),
        event(3, { userId: "u-2", pageUrl }),
      ]),
    );
    await lab.run();
    await run();
    const who = { userIds: new Set(["u-1"]), clientIds: new Set(["client-2"]) };
    expect(await eraseFromLake(lab.db.pool, lake.store, who, { dryRun: true })).to.deep.equal({
      files: 1,
      rows: 2,
      isComplete: true,
    });
    expect(await inLake()).to.have.length(3);
    expect(await eraseFromLake(lab.db.pool, lake.store, who)).to.deep.equal({
      files: 1,
      rows: 2,
      isComplete: true,
    });
    expect(await inLake()).to.deep.equal([uuid(3)]);
    expect(await eraseFromLake(lab.db.pool, lake.store, who)).to.deep.equal({
      files: 0,
      rows: 0,
      isComplete: true,
    });
    await query(
      `INSERT INTO etl.loaded_hours (hour, rows, ids, details, cause)
      SELECT '2025-12-06T05:00Z', -2, -sum(uuid_hash(event_id)::bigint),
        -(SELECT count(*) FROM public.clickstream_event_details WHERE event_id = ANY ($1)), 'erased'
      FROM public.clickstream_events WHERE event_id = ANY ($1)`,
      [[uuid(1), uuid(2)]],
    );
    expect(await query("SELECT stale FROM etl.lake_days")).to.deep.equal([{ stale: false }]);
  });

  it("is written by one at a time", async () => {
    put("a.json", 1);
    await lab.run();
    const other = await lab.db.pool.connect();
    await other.query("SELECT pg_advisory_lock(7263003)");
    expect(await run()).to.include({ days: 0, waiting: 1 });
    await other.query("SELECT pg_advisory_unlock(7263003)");
    other.release();
    expect(await run()).to.include({ days: 1 });
  });
});

type Step = "create" | "write" | "close" | "open" | "publish" | "published";

const bound = (store: LakeStore): LakeStore => ({
  location: store.location,
  create: (key) => store.create(key),
  open: (key) => store.open(key),
  publish: (from, to) => store.publish(from, to),
  remove: (key) => store.remove(key),
});

/** One digit of an event's id, in a file that is well-formed still. */
function changed(bytes: ArrayBuffer): ArrayBuffer {
  const copy = Buffer.from(bytes.slice(0));
  const at = copy.indexOf("-4000");
  if (at >= 0) copy.write("-5", at, "latin1");
  return copy.buffer.slice(copy.byteOffset, copy.byteOffset + copy.length);
}

/** Stops before the step, as a kill would: nothing is tidied up behind it. */
function failing(store: LakeStore, step: Step): LakeStore {
  const dead = () => Promise.reject(new Error(`killed at ${step}`));
  return {
    ...bound(store),
    remove: dead,
    create: async (key) => {
      if (step === "create") return dead();
      const upload = await store.create(key);
      return {
        write: (bytes) => (step === "write" ? dead() : upload.write(bytes)),
        close: () => (step === "close" ? dead() : upload.close()),
        abort: () => upload.close(), // what was written stays
      };
    },
    open: (key) => (step === "open" ? dead() : store.open(key)),
    publish: async (from, to) => {
      if (step === "publish") return dead();
      await store.publish(from, to);
      return dead();
    },
  };
}
