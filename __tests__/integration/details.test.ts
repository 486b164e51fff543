import { expect } from "chai";
import { status } from "etl-lib";
import fc from "fast-check";
import { anyEvent, plainEvent } from "../../testing/etl-lib/arbitraries.js";
import { event, events, hourKey, json, ndjson, uuid } from "../../testing/lab/events.js";
import { counts, type Lab, openLab } from "../../testing/lab/lab.js";

const SAFARI =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
const RECEIVED = { receivedAt: "2025-12-06T05:00:00.000Z" };

const RICH = {
  pageUrl: "https://shop.example/tai-nghe?utm_source=zalo&utm_medium=chat&utm_campaign=T%E1%BA%BFt#top",
  referrer: "https://www.Google.com/search?q=tai+nghe",
  element: { tag: "button", id: "buy", role: null, dataset: { position: 2, weight: 1.5 } },
  _ingest: { ...RECEIVED, sourceIp: "203.0.113.9", userAgent: SAFARI, method: "POST", stage: "$default" },
};

describe("integration: the details of an event", () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab();
  });
  afterEach(() => lab.close());

  const details = async (id: number, sql = "") =>
    lab.row(
      `SELECT d.* FROM public.clickstream_event_details d JOIN public.clickstream_events USING (event_id, event_timestamp) WHERE event_id = $1 ${sql}`,
      [uuid(id)],
    );
  const sums = async () =>
    lab.row(
      `SELECT (SELECT count(*) FROM public.clickstream_events)::int AS events,
         (SELECT count(*) FROM public.clickstream_event_details)::int AS details,
         (SELECT count(*) FROM public.clickstream_event_details JOIN public.clickstream_events USING (event_id, event_timestamp))::int AS joined,
         (SELECT sum(details) FROM etl.loaded_hours)::int AS counted`,
    );
  const expectOneEach = async (n: number) =>
    expect(await sums()).to.deep.equal({ events: n, details: n, joined: n, counted: n });

  // As NDJSON an event is read from its bytes, in an array it is parsed.
  for (const [way, write] of [
    ["from its bytes", ndjson],
    ["parsed", json],
  ] as const)
    it(`hold all that the row leaves out, ${way}`, async () => {
      lab.s3.put(hourKey("a.json"), write([event(1, RICH), event(2)]));
      await lab.run();
      const { event_id, event_timestamp, ...rest } = await details(1);
      expect([event_id, event_timestamp.toISOString()]).to.deep.equal([uuid(1), RECEIVED.receivedAt]);
      expect(rest).to.deep.equal({
        ...{ page_url: RICH.pageUrl, referrer: RICH.referrer, referrer_host: "google.com" },
        ...{ utm_source: "zalo", utm_medium: "chat", utm_campaign: "Tết" },
        ...{ device: "mobile", browser: "Safari", os: "iOS", is_bot: false },
        extras: {
          element: RICH.element,
          _ingest: { userAgent: SAFARI, method: "POST", stage: "$default" },
        },
      });
      const bare = await details(2);
      expect([bare.page_url, bare.device, bare.is_bot, bare.extras]).to.deep.equal([null, null, null, null]);
      await expectOneEach(2);
    });

  it("keep no IP address, or the network of one where that is asked for", async () => {
    const addressed = (id: number, sourceIp: string, more = {}) =>
      event(id, { ...more, _ingest: { ...RECEIVED, sourceIp } });
    const all = [
      addressed(1, "203.0.113.9", { client_ip: "198.51.100.7" }),
      addressed(2, "2001:db8:85a3::8a2e:370:7334", { headers: { "X-Forwarded-For": "198.51.100.7" } }),
      addressed(3, "::ffff:203.0.113.9"),
    ];
    lab.s3.put(hourKey("a.ndjson"), ndjson(all));
    await lab.run();
    const text = await lab.row(
      "SELECT string_agg(extras::text, ' ') AS all FROM public.clickstream_event_details",
    );
    expect(text.all).to.equal('{"headers": {}}');
    await lab.db.pool.query("TRUNCATE public.clickstream_event_details");
    await lab.runUnchecked({ reload: true, details: { keepIp: true } });
    const extras = await Promise.all([1, 2, 3].map(async (id) => (await details(id)).extras));
    expect(extras).to.deep.equal([
      { client_ip: "198.51.100.0/24", _ingest: { sourceIp: "203.0.113.0/24" } },
      { headers: { "X-Forwarded-For": "198.51.100.0/24" }, _ingest: { sourceIp: "2001:db8:85a3::/48" } },
      { _ingest: { sourceIp: "203.0.113.0/24" } },
    ]);
  });

  it("are as many as the events, whatever comes twice, in whatever order", async () => {
    lab.s3.put(hourKey("a.ndjson"), ndjson([...events(0, 300), ...events(0, 300)]));
    lab.s3.put(hourKey("b.json"), json(events(200, 400)));
    expect((await lab.run({ batchRows: 100 })).events).to.deep.equal(counts(800, 400, 400));
    lab.s3.put(hourKey("c.ndjson"), ndjson(events(350, 450)));
    lab.s3.put(hourKey("a.ndjson"), ndjson(events(0, 10)));
    await lab.run();
    await expectOneEach(450);
  });

  it("are left out where they are off, and filled in by a reload; only once", async () => {
    lab.s3.put(hourKey("a.ndjson"), ndjson([event(1, RICH), event(2)]));
    lab.s3.put(
      hourKey("b.json"),
      json([event(1, { _ingest: { receivedAt: "2025-12-06T05:59:00Z" } }), event(3)]),
    );
    await lab.run({ details: null });
    expect(await sums()).to.deep.equal({ events: 3, details: 0, joined: 0, counted: 0 });
    await lab.runUnchecked({ reload: true });
    await expectOneEach(3);
    expect((await details(1)).browser).to.equal("Safari");
    await Promise.all([1, 2, 3].map(() => lab.runUnchecked({ reload: true })));
    await expectOneEach(3);
  });

  it("come back with rows that were lost, and alone", async () => {
    lab.s3.put(hourKey("a.ndjson"), ndjson(events(0, 20)));
    await lab.run();
    await lab.db.pool.query(
      `DELETE FROM public.clickstream_event_details WHERE event_id < '${uuid(5)}';
       DELETE FROM public.clickstream_events WHERE event_id < '${uuid(10)}'`,
    );
    await lab.runUnchecked({ reload: true });
    await expectOneEach(20);
  });

  it("take their events with them when they cannot be written", async () => {
    lab.s3.put(hourKey("a.ndjson"), ndjson(events(0, 50)));
    await lab.db.pool.query(
      "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no details today'; END $$; CREATE TRIGGER fail BEFORE INSERT ON public.clickstream_event_details FOR EACH ROW EXECUTE FUNCTION fail()",
    );
    expect((await lab.runUnchecked()).status).to.equal("failed");
    expect(await sums()).to.deep.include({ events: 0, details: 0 });
    await lab.db.pool.query("DROP TRIGGER fail ON public.clickstream_event_details");
    await lab.run();
    await expectOneEach(50);
  });

  it("keep 16 KiB of what is in no column, and say what they left out", async () => {
    const long = "é".repeat(9_000);
    lab.s3.put(hourKey("a.ndjson"), ndjson([event(1, { first: "kept", long, last: [1.5] })]));
    const { warnings } = await lab.run();
    expect(warnings.extras).to.deep.equal({ cut: 1 });
    expect((await details(1)).extras).to.deep.equal({ first: "kept", last: [1.5] });
  });

  it("hold what PostgreSQL can hold, to the digit", async () => {
    const text = `{"eventName":"x","eventId":"${uuid(1)}","_ingest":{"receivedAt":"2025-12-06T05:00:00.000Z"},"n":[1.50,12345678901234567890,-0.0000001,1e400,${"9".repeat(200)}],"s":"a\\u0000\\ud800b","\\u0000k":1,"price":"abc","userId":{"a":1}}`;
    lab.s3.put(hourKey("a.ndjson"), text);
    const { warnings } = await lab.run();
    expect(warnings.extras).to.deep.equal({ converted_to_text: 2, nul_removed: 2, surrogate_replaced: 1 });
    const { kept } = await lab.row("SELECT extras::text AS kept FROM public.clickstream_event_details");
    expect(kept).to.equal(
      `{"k": 1, "n": [1.50, 12345678901234567890, -0.0000001, "1e400", "${"9".repeat(200)}"], "s": "a\ufffdb", "price": "abc", "userId": {"a": 1}}`,
    );
  });

  it("are held against the contract on both ways, and every run says where they differ", async () => {
    lab.s3.put(hourKey("a.ndjson"), ndjson([event(1, { eventName: "flash_sale" }), event(2)]));
    lab.s3.put(hourKey("b.json"), json([event(3, { product: { id: "1", name: "x", price: "1" } })]));
    const { contract, events: loaded } = await lab.run();
    expect(loaded).to.deep.equal(counts(3, 3));
    expect(contract.checked).to.equal(3);
    expect(contract.findings).to.deep.include.members([
      { event: "flash_sale", field: "eventName", kind: "unknown_event", events: 1 },
      { event: "product_view", field: "pageUrl", kind: "missing", events: 2 },
      { event: "product_view", field: "product.price", kind: "type", events: 1 },
    ]);
    const drift = await lab.db.pool.query(
      "SELECT event_name AS event, field, kind, events::int, checked::int FROM dw.contract_drift",
    );
    expect(drift.rows).to.have.deep.members(contract.findings.map((one) => ({ ...one, checked: 3 })));
    const report = await status(lab.db.pool);
    expect(report.drift.map(({ since, ...one }) => one)).to.have.deep.members([...contract.findings]);
  });

  it("take any event at all", async () => {
    const sample = fc.sample(fc.oneof(anyEvent, plainEvent), 3_000);
    const all = sample.map((one, id) => ({ eventName: "x", ...one, eventId: uuid(id) }));
    lab.s3.put(hourKey("a.ndjson"), ndjson(all.slice(0, 1_500)));
    lab.s3.put(hourKey("b.json"), json(all.slice(1_500)));
    const { events: loaded } = await lab.run();
    await expectOneEach(loaded.inserted);
  });
});
