import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { extractRecords, type RejectCause, RepairLog, transformEvent } from "etl-lib";
import { BUNDLED } from "../../cli/sample/bundled.js";
import { CATALOGUE } from "../../cli/sample/catalogue.js";
import type { GeneratedEvent } from "../../cli/sample/dirt.js";
import { generateEvents } from "../../cli/sample/generate.js";
import { LAYOUTS } from "../../cli/sample/layouts.js";
import type { SampleObject } from "../../cli/sample/pack.js";
import type { RawEvent } from "../../cli/sample/raw-event.js";
import { sampleObjects, writeSample } from "../../cli/sample/write-sample.js";

const SAMPLES = fileURLToPath(new URL("../../samples", import.meta.url));

interface Counts {
  read: number;
  inserted: number;
  duplicates: number;
  rejects: { [cause in RejectCause]?: number };
}

interface Readable {
  readonly key: string;
  readonly body: Uint8Array;
  readonly lastModified: Date;
}

/** What etl-lib makes of the objects, without a database: the first of an id is inserted. */
async function count(objects: Iterable<Readable>, seen = new Set<string>()): Promise<Counts> {
  const counts: Counts = { read: 0, inserted: 0, duplicates: 0, rejects: {} };
  for (const { key, body, lastModified } of objects) {
    const open = async function* () {
      yield body;
    };
    for await (const group of extractRecords(open)) {
      for (const record of group) {
        counts.read += 1;
        const origin = { object: { bucket: "b", key, lastModified }, position: record.position };
        const made = record.reject ? record : transformEvent(record.value, origin, new RepairLog());
        if (made.reject) counts.rejects[made.reject.cause] = (counts.rejects[made.reject.cause] ?? 0) + 1;
        else if (made.row && !seen.has(made.row.event_id)) {
          seen.add(made.row.event_id);
          counts.inserted += 1;
        } else counts.duplicates += 1;
      }
    }
  }
  return counts;
}

/** What the generator promises of the same objects. */
function promised(objects: readonly SampleObject[]): Counts {
  const counts: Counts = { read: 0, inserted: 0, duplicates: 0, rejects: {} };
  for (const { expect: outcome } of objects.flatMap(({ records }) => records)) {
    counts.read += 1;
    if (outcome === "row") counts.inserted += 1;
    else if (outcome === "duplicate") counts.duplicates += 1;
    else counts.rejects[outcome] = (counts.rejects[outcome] ?? 0) + 1;
  }
  return counts;
}

function visible(events: Iterable<GeneratedEvent>): RawEvent[] {
  return [...events].map(({ content }) => JSON.parse(content as string) as RawEvent);
}

function countBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

describe("the sample generator", () => {
  for (const layout of LAYOUTS) {
    describe(`layout ${layout}`, () => {
      const objects = [...sampleObjects({ events: 2000, layout, dirty: 0.3, seed: "test" })];

      it("makes as many records as asked for", () => {
        expect(promised(objects).read).to.equal(2000);
      });

      it("promises what the ETL then counts", async () => {
        const counts = await count(objects);
        expect(counts).to.deep.equal(promised(objects));
        expect(counts.duplicates).to.be.greaterThan(20);
        expect(Object.keys(counts.rejects).sort()).to.deep.equal([
          "invalid_gzip",
          "invalid_json",
          "missing_event_name",
          "not_an_object",
          "too_deep",
          "too_large",
        ]);
      });

      it("makes the same bytes for the same seed, and others for another", () => {
        const again = [...sampleObjects({ events: 2000, layout, dirty: 0.3, seed: "test" })];
        expect(again.map(({ key }) => key)).to.deep.equal(objects.map(({ key }) => key));
        for (const [index, { body }] of again.entries()) {
          expect(Buffer.compare(body, objects[index]?.body as Uint8Array), again[index]?.key).to.equal(0);
        }
        const [other] = sampleObjects({ events: 1, layout, seed: "another" });
        expect(Buffer.from(other?.body ?? []).equals(objects[0]?.body ?? Buffer.alloc(0))).to.equal(false);
      });

      it("lays keys out as the bucket does, each once", () => {
        const keys = objects.map(({ key }) => key);
        const one = /^events\/\d{4}(\/\d{2}){3}\/event-[-0-9a-f]+\.json$/;
        const many = /^events\/\d{4}(\/\d{2}){2}\/part-[-0-9a-f]+\.(nd)?json(\.gz)?$/;
        const expected = { object: [one], mixed: [one, many], ndjson: [many], array: [many] }[layout];
        for (const key of keys)
          expect(
            expected.some((pattern) => pattern.test(key)),
            key,
          ).to.equal(true);
        for (const pattern of expected) expect(keys.some((key) => pattern.test(key))).to.equal(true);
        expect(new Set(keys).size).to.equal(keys.length);
      });

      it("has late, compressed, marked and Windows files among them", () => {
        const starts = countBy(objects, ({ body }) => Buffer.from(body.subarray(0, 2)).toString("hex"));
        expect(starts.get("1f8b")).to.be.greaterThan(1);
        expect(starts.get("efbb")).to.be.greaterThan(0);
        expect(objects.some(({ body }) => Buffer.from(body).includes("\r\n"))).to.equal(true);
        const late = objects.filter(({ isLate }) => isLate);
        expect(late).not.to.have.length(0);
        for (const { records, lastModified } of late) {
          expect(lastModified.getTime() - (records.at(-1)?.at ?? 0)).to.be.greaterThan(3_600_000);
        }
      });

      it("is clean when nothing is to be dirty", async () => {
        const clean = [...sampleObjects({ events: 300, layout, seed: 3 })];
        expect(await count(clean)).to.deep.equal({ read: 300, inserted: 300, duplicates: 0, rejects: {} });
        expect(clean.every(({ isLate }) => !isLate)).to.equal(true);
      });
    });
  }

  describe("its visits", () => {
    const events = visible(generateEvents({ events: 20_000, seed: 5, days: 7 }));

    it("are funnels that thin out", () => {
      const names = countBy(events, ({ eventName }) => eventName);
      const funnel = ["product_view", "add_to_cart_click", "checkout_start", "checkout_complete"];
      const steps = funnel.map((name) => names.get(name) ?? 0);
      expect(steps).to.deep.equal([...steps].sort((one, other) => other - one));
      expect(steps.at(-1)).to.be.greaterThan(50);
      for (const name of [
        "home_view",
        "category_view",
        "page_view",
        "click",
        "wishlist_toggle",
        "share_click",
      ]) {
        expect(names.get(name), name).to.be.greaterThan(0);
      }
      for (const name of ["remove_from_cart_click", "login_open", "login_success", "logout"]) {
        expect(names.get(name), name).to.be.greaterThan(0);
      }
    });

    it("have a user from the login on and none after the logout", () => {
      for (const event of events) {
        expect(event.userId === null, event.eventId).to.equal(event.userLoginState !== "logged_in");
        if (event.eventName === "login_success") expect(event.userId).to.match(/^u-\d+$/);
        if (event.eventName === "logout") expect(event.userId).to.equal(null);
      }
    });

    it("are partly of people who come back, with the client id they had", () => {
      const clients = new Map<string, Set<string>>();
      for (const { clientId, sessionId, isFirstVisit } of events) {
        const sessions = clients.get(clientId) ?? new Set();
        expect(isFirstVisit).to.equal(
          sessions.size === 0 || (sessions.size === 1 && sessions.has(sessionId)),
        );
        clients.set(clientId, sessions.add(sessionId));
      }
      const share = [...clients.values()].filter(({ size }) => size > 1).length / clients.size;
      expect(share).to.be.within(0.1, 0.7);
    });

    it("follow the day of Asia/Ho_Chi_Minh: quiet at night, busy in the evening", () => {
      const hours = countBy(
        events,
        ({ _ingest }) => `${(new Date(_ingest.receivedAt).getUTCHours() + 7) % 24}`,
      );
      expect(hours.get("20") ?? 0).to.be.greaterThan(10 * (hours.get("3") ?? 0));
    });

    it("arrive in order within the days asked for", () => {
      const times = events.map(({ _ingest }) => _ingest.receivedAt);
      expect(times).to.deep.equal([...times].sort());
      expect(times[0]?.slice(0, 10)).to.equal("2026-11-18");
      expect(times.at(-1)?.slice(0, 10)).to.equal("2026-11-24");
    });
  });

  it("has some 120 products with whole prices, a discount below the price, and addresses of their own", () => {
    expect(CATALOGUE).to.have.length(120);
    expect(new Set(CATALOGUE.map(({ id }) => id)).size).to.equal(120);
    expect(new Set(CATALOGUE.map(({ urlPath }) => urlPath)).size).to.equal(120);
    for (const { price, discountPrice = 1, urlPath } of CATALOGUE) {
      expect(Number.isInteger(price) && Number.isInteger(discountPrice)).to.equal(true);
      expect(discountPrice).to.be.within(1, price - 1);
      expect(urlPath).to.match(/^\/product\/[a-z0-9-]+$/);
    }
  });

  it("writes files with their objects' times and reports what it made", () => {
    const out = mkdtempSync(join(tmpdir(), "sample-"));
    const options = { events: 200, layout: "object", dirty: 0.2, seed: 9 } as const;
    const objects = [...sampleObjects(options)];
    const report = writeSample({ ...options, out });
    expect(report).to.include({ events: 200, objects: objects.length });
    expect(report.bytes).to.equal(objects.reduce((sum, { body }) => sum + body.length, 0));
    for (const { key, lastModified } of objects) {
      expect(statSync(join(out, key)).mtime).to.deep.equal(lastModified);
    }
    rmSync(out, { recursive: true });
  });
});

describe("the bundled samples", () => {
  const events = join(SAMPLES, "events");
  const files = readdirSync(events, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const readme = readFileSync(join(SAMPLES, "README.md"), "utf8");
  const handMade = [...readme.matchAll(/^\| `(dirty-\S+)` \|.*\| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$/gm)];
  const read = (file: string): Readable => ({
    key: relative(SAMPLES, file),
    body: readFileSync(file),
    lastModified: new Date("2026-11-21"),
  });

  it("are what the generator makes, and what was made by hand", () => {
    const made = [...sampleObjects(BUNDLED)];
    const expected = [
      ...made.map(({ key }) => key),
      ...handMade.map(([, name]) => `events/2026/11/20/${name}`),
    ];
    expect(files.map((file) => relative(SAMPLES, file))).to.deep.equal(expected.sort());
    for (const { key, body } of made) {
      expect(Buffer.compare(body, readFileSync(join(SAMPLES, key))), key).to.equal(0);
    }
  });

  it("are made by the command that the README names", () => {
    const { events: n, layout, dirty, seed, from, days } = BUNDLED;
    const day = from.toISOString().slice(0, 10);
    expect(readme).to.include(
      `sample --out samples --events ${n} --layout ${layout} --dirty ${dirty} --seed ${seed} --from ${day} --days ${days} --story`,
    );
  });

  describe("tell the story of the README:", () => {
    const told = [...generateEvents({ ...BUNDLED, dirty: 0 })].map(({ at, content }) => ({
      // the shop's day
      day: new Date(at + 7 * 3_600_000).toISOString().slice(0, 10),
      event: JSON.parse(content as string) as RawEvent,
    }));
    const on = (isMeant: (event: RawEvent) => boolean) =>
      countBy(
        told.filter(({ event }) => isMeant(event)),
        ({ day }) => day,
      );
    const daily = on(() => true);
    const isBot = ({ _ingest }: RawEvent) => /bot|python/i.test(_ingest.userAgent);
    const share = (part: Map<string, number>, all: Map<string, number>, days: readonly string[]) => {
      const sum = (counts: Map<string, number>) => days.reduce((n, day) => n + (counts.get(day) ?? 0), 0);
      return sum(part) / sum(all);
    };

    it("weekends are busier than the days before them", () => {
      for (const [saturday, thursday] of [
        ["2026-10-03", "2026-10-01"],
        ["2026-10-17", "2026-10-15"],
        ["2026-10-31", "2026-10-29"],
      ] as const)
        expect(daily.get(saturday)).to.be.greaterThan(daily.get(thursday) as number);
    });

    it("a campaign brings visitors, and stops", () => {
      const campaign = on(({ pageUrl }) => pageUrl.includes("utm_campaign=sale-11-11"));
      expect([...campaign.keys()].sort()).to.deep.equal(
        ["06", "07", "08", "09", "10", "11"].map((day) => `2026-11-${day}`),
      );
      expect(daily.get("2026-11-11")).to.be.greaterThan(2 * (daily.get("2026-11-12") as number));
      for (const { event } of told)
        if (event.pageUrl.includes("utm_")) expect(event.pageUrl).to.match(/\?utm_source=\w+&utm_medium=\w+/);
    });

    it("from a deploy to its repair hardly anyone completes an order", () => {
      const [begun, done] = ["checkout_start", "checkout_complete"].map((name) =>
        on(({ eventName }) => eventName === name),
      ) as [Map<string, number>, Map<string, number>];
      expect(share(done, begun, ["2026-11-12", "2026-11-13", "2026-11-14"])).to.be.greaterThan(0.5);
      expect(share(done, begun, ["2026-11-17"])).to.be.lessThan(0.2);
      expect(share(done, begun, ["2026-11-19", "2026-11-20"])).to.be.greaterThan(0.5);
    });

    it("in one night bots storm the shop", () => {
      const bots = on(isBot);
      expect(bots.get("2026-11-16")).to.be.greaterThan(700);
      bots.delete("2026-11-16");
      expect(Math.max(...bots.values())).to.be.lessThan(60);
    });

    it("a day comes two days late", () => {
      const late = [...sampleObjects({ ...BUNDLED, dirty: 0 })].filter(({ isLate }) => isLate);
      expect(late.map(({ key }) => key.slice(0, 17))).to.deep.equal(["events/2026/11/14"]);
      expect(late[0]?.lastModified.toISOString()).to.match(/^2026-11-1[67]/);
    });
  });

  for (const [, name = "", ...numbers] of handMade) {
    it(`hold in ${name} what the README says`, async () => {
      const counts = await count([read(join(events, "2026/11/20", name))]);
      const rejected = Object.values(counts.rejects).reduce((sum, n) => sum + n, 0);
      expect([counts.read, counts.inserted, counts.duplicates, rejected]).to.deep.equal(numbers.map(Number));
    });
  }

  it("cover every reject cause and add up to the README's totals", async () => {
    const counts = await count(files.map(read));
    const rejected = Object.values(counts.rejects).reduce((sum, n) => sum + n, 0);
    expect(Object.keys(counts.rejects)).to.have.length(6);
    expect(readme).to.include(
      `All of it: ${counts.read} read, ${counts.inserted} inserted, ${counts.duplicates} duplicates, ${rejected} rejected.`,
    );
  });
});

describe("clickstream sample", function () {
  this.timeout(30_000);
  const cli = fileURLToPath(new URL("../../bin/clickstream.js", import.meta.url));

  it("prints its report as one JSON object", () => {
    const out = mkdtempSync(join(tmpdir(), "sample-"));
    const args = [cli, "sample", "--out", out, "--events", "50", "--layout", "array", "--json"];
    const report = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
    expect(report).to.include({ out, layout: "array", events: 50 });
    rmSync(out, { recursive: true });
  });
});
