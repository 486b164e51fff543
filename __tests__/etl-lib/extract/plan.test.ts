import { expect } from "chai";
import { listObjects } from "../../../etl-lib/src/extract/plan.js";
import { parseWindow } from "../../../etl-lib/src/extract/window.js";
import type { Window } from "../../../etl-lib/src/types.js";
import { MemorySource } from "../../../testing/etl-lib/memory-source.js";

const HOURLY = (day: string, hour: string, name = "event-1.json") => `events/${day}/${hour}/${name}`;
const DAILY = (day: string, name = "event-1.json") => `events/${day}/${name}`;

async function keysOf(source: MemorySource, window: Window | null, prefix?: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of listObjects({ source, window, prefix })) keys.push(...page.map(({ key }) => key));
  expect(new Set(keys).size, "listed twice").to.equal(keys.length);
  return keys.sort();
}

const stored = (keys: readonly string[], pageSize?: number) =>
  new MemorySource(
    keys.map((key) => ({ key, content: "{}" })),
    pageSize,
  );

async function within(from: string, to: string, keys: readonly string[], pageSize?: number) {
  return keysOf(stored(keys, pageSize), parseWindow(from, to));
}

describe("listObjects", () => {
  const hours = ["2025/12/05", "2025/12/06", "2025/12/07"].flatMap((day) =>
    Array.from({ length: 24 }, (_, hour) => HOURLY(day, String(hour).padStart(2, "0"))),
  );

  describe("events/YYYY/MM/DD/HH/", () => {
    for (const [what, from, to, first, last, count] of [
      ["one hour", "2025-12-06T05:00Z", "2025-12-06T06:00Z", "06/05", "06/05", 1],
      [
        "an hour that the window cuts at its end",
        "2025-12-06T05:00Z",
        "2025-12-06T06:00:00.001Z",
        "06/05",
        "06/06",
        2,
      ],
      [
        "an hour that the window cuts at its beginning",
        "2025-12-06T05:59:59Z",
        "2025-12-06T06:00Z",
        "06/05",
        "06/05",
        1,
      ],
      ["a minute", "2025-12-06T05:30Z", "2025-12-06T05:31Z", "06/05", "06/05", 1],
      ["one day", "2025-12-06", "2025-12-07", "06/00", "06/23", 24],
      ["midnight", "2025-12-05T23:00Z", "2025-12-06T01:00Z", "05/23", "06/00", 2],
      ["three days, the outer ones cut", "2025-12-05T22:30Z", "2025-12-07T01:30Z", "05/22", "07/01", 28],
      ["an offset", "2025-12-06T07:00+07:00", "2025-12-06T08:00+07:00", "06/00", "06/00", 1],
    ] as const)
      it(what, async () => {
        const found = await within(from, to, hours);
        expect(found[0]).to.equal(HOURLY(`2025/12/${first.slice(0, 2)}`, first.slice(3)));
        expect(found.at(-1)).to.equal(HOURLY(`2025/12/${last.slice(0, 2)}`, last.slice(3)));
        expect(found).to.have.length(count);
      });
  });

  it("events/YYYY/MM/DD/: all of a day that touches the window, for its key names no hour", async () => {
    const keys = ["2025/12/05", "2025/12/06", "2025/12/07"].map((day) => DAILY(day));
    expect(await within("2025-12-06T05:00Z", "2025-12-06T06:00Z", keys)).to.deep.equal([DAILY("2025/12/06")]);
    expect(await within("2025-12-06T23:00Z", "2025-12-07T01:00Z", keys)).to.deep.equal(keys.slice(1));
  });

  it("both layouts in one bucket, and in one day", async () => {
    const keys = [DAILY("2025/12/06"), HOURLY("2025/12/06", "05"), HOURLY("2025/12/06", "06")];
    expect(await within("2025-12-06T05:00Z", "2025-12-06T06:00Z", keys)).to.deep.equal(
      keys.slice(0, 2).sort(),
    );
    expect(await within("2025-12-06", "2025-12-07", keys)).to.deep.equal([...keys].sort());
  });

  it("never passes over a file because of an odd name within its day", async () => {
    const odd = [
      "events/2025/12/06/",
      "events/2025/12/06/05/",
      "events/2025/12/06/5/event.json",
      "events/2025/12/06/24/event.json",
      "events/2025/12/06/99/event.json",
      "events/2025/12/06/xx/event.json",
      "events/2025/12/06/005/event.json",
      "events/2025/12/06/05-late/event.json",
      "events/2025/12/06/_compacted/part-0.gz",
      "events/2025/12/06//event.json",
      "events/2025/12/06/05/deep/er/event.json",
      "events/2025/12/06/05/2024/01/01/event.json",
      "events/2025/12/06/sự kiện/é%20+.json",
      "events/2025/12/06/no extension",
    ];
    expect(await within("2025-12-06T05:00Z", "2025-12-06T06:00Z", odd)).to.deep.equal([...odd].sort());
    expect(await within("2025-12-06", "2025-12-07", odd)).to.deep.equal([...odd].sort());
  });

  it("leaves other days and other prefixes alone", async () => {
    const others = [
      "events/2025/12/07/00/e.json",
      "events/2025/12/060/e.json",
      "other/2025/12/06/05/e.json",
      "events.json",
    ];
    expect(await within("2025-12-06", "2025-12-07", others)).to.deep.equal([]);
  });

  it("crosses months, years and a leap day", async () => {
    const keys = ["2023/12/31", "2024/01/01", "2024/02/29", "2024/03/01"].map((day) => HOURLY(day, "00"));
    expect(await within("2023-12-31", "2024-03-02", keys)).to.deep.equal(keys);
  });

  for (const pageSize of [1, 2, 7, 1000])
    it(`finds the same in pages of ${pageSize}`, async () => {
      const keys = [...hours, DAILY("2025/12/06"), DAILY("2025/12/06", "event-2.json")];
      const found = await within("2025-12-06T03:00Z", "2025-12-07T02:00Z", keys, pageSize);
      expect(found).to.have.length(21 + 2 + 2);
    });

  it("lists 2,500 objects of one hour", async () => {
    const keys = Array.from({ length: 2500 }, (_, n) => HOURLY("2025/12/06", "05", `event-${n}.json`));
    expect(await within("2025-12-06T05:00Z", "2025-12-06T06:00Z", keys)).to.have.length(2500);
  });

  it("lists the newest hours first, and beside them what lies in their days", async () => {
    const source = stored([...hours, "events/2025/12/06/odd/e.json"]);
    await keysOf(source, parseWindow("2025-12-05T22:00Z", "2025-12-06T03:00Z"));
    expect(source.listed).to.deep.equal([
      "events/2025/12/06/*",
      "events/2025/12/06/02/",
      "events/2025/12/06/01/",
      "events/2025/12/06/00/",
      "events/2025/12/05/*",
      "events/2025/12/05/23/",
      "events/2025/12/05/22/",
      "events/2025/12/06/odd/",
    ]);
  });

  it("lists of a window only what is due", async () => {
    const source = stored(hours);
    const scope = { source, window: parseWindow("2025-12-05", "2025-12-07") };
    const found: string[] = [];
    for await (const page of listObjects({ ...scope, isDue: ({ prefix }) => /06\/0[12]\/$/.test(prefix) }))
      found.push(...page.map(({ key }) => key));
    expect(found.sort()).to.deep.equal([HOURLY("2025/12/06", "01"), HOURLY("2025/12/06", "02")]);
    expect(source.listed).to.have.length(2);
  });

  it("without a window: all that lies below events/", async () => {
    const keys = [
      "events/a.json",
      "events/2025/12/06/05/e.json",
      "events/not/a/date/e.json",
      "events/2025/13/99/e.json",
    ];
    expect(await keysOf(stored([...keys, "other/e.json"]), null)).to.deep.equal([...keys].sort());
  });

  it("below another prefix: what its key places in the window, and what its key places nowhere", async () => {
    const keys = [
      "shop/events/2025/12/06/05/in.json",
      "shop/events/2025/12/06/in-by-day.json",
      "shop/events/2025/12/06/06/out.json",
      "shop/events/2025/12/07/out.json",
      "shop/nowhere.json",
      "shop/2025/99/99/nowhere.json",
    ];
    const window = parseWindow("2025-12-06T05:00Z", "2025-12-06T06:00Z");
    expect(await keysOf(stored(keys), window, "shop/")).to.deep.equal(
      keys.filter((key) => !key.includes("out")).sort(),
    );
    expect(await keysOf(stored(keys), null, "shop/")).to.deep.equal([...keys].sort());
  });

  it("fails when the listing fails", async () => {
    const source = stored(hours);
    source.list = async function* () {
      yield { objects: [], folders: [] };
      throw new Error("throttled");
    };
    const error = await keysOf(source, parseWindow("2025-12-06", "2025-12-07")).catch(
      (error: Error) => error,
    );
    expect(error).to.be.an("error").with.property("message", "throttled");
  });
});
