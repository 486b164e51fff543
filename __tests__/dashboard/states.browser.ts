import { expect } from "chai";
import { rebuildRollups } from "etl-lib";
import { openPage } from "../../testing/dashboard/browser.js";
import { type Served, serve } from "../../testing/dashboard/served.js";
import { emptyWarehouse } from "../../testing/dashboard/warehouse.js";
import { newPostgres } from "../../testing/postgres.js";

const WORDS = {
  en: {
    empty: "The warehouse holds no events yet.",
    unbuilt: "their rollups are not built yet",
    down: "The warehouse cannot be reached right now.",
  },
  vi: {
    empty: "Kho dữ liệu chưa có sự kiện nào.",
    unbuilt: "bảng tổng hợp chưa được dựng",
    down: "Hiện không kết nối được với kho dữ liệu.",
  },
};
/** The page asks every 5 seconds how the warehouse is. */
const POLL_MS = 40_000;

describe("the dashboard without anything to show", () => {
  let served: Served;
  before(async function () {
    served = await serve(this, emptyWarehouse);
  });
  after(async () => served?.close());

  it("says in words that the warehouse is empty, then that its rollups are not built, then shows what came", async () => {
    for (const lang of ["en", "vi"] as const) {
      const { page, faults } = await openPage(served.browser, `${served.dashboard.url}?lang=${lang}`);
      expect(await page.textContent("#banner")).to.include(WORDS[lang].empty);
      expect(await page.locator("#overview-events_value").isVisible()).to.equal(false);
      expect(faults).to.deep.equal([]);
      await page.context().close();
    }
    const { page } = await openPage(served.browser, `${served.dashboard.url}?lang=en`);
    await served.database.pool.query(
      "INSERT INTO public.clickstream_events (event_id, event_timestamp, event_name) VALUES (gen_random_uuid(), now() - interval '1 minute', 'page_view')",
    );
    await page.waitForSelector("[data-state=unbuilt]", { timeout: POLL_MS });
    expect(await page.textContent("#banner")).to.include(WORDS.en.unbuilt);
    await rebuildRollups(served.database.pool);
    await page.waitForSelector("#overview-events_value:not(:empty)", { timeout: POLL_MS });
    expect(await page.locator(".notice.stop").count()).to.equal(0);
    expect(await page.textContent("#overview-events_value")).to.equal("1");
    await page.context().close();
  });
});

describe("the dashboard when the warehouse goes down", () => {
  let served: Served;
  let server: Awaited<ReturnType<typeof newPostgres>>;
  before(async function () {
    served = await serve(this, async () => {
      server = await newPostgres();
      const database = await server.createWarehouse();
      await database.pool.query(
        "INSERT INTO public.clickstream_events (event_id, event_timestamp, event_name) SELECT gen_random_uuid(), '2025-12-06 05:00Z', 'page_view' FROM generate_series(1, 7)",
      );
      await rebuildRollups(database.pool);
      return database;
    });
  });
  after(async () => served?.close());

  it("says so in words, in a page that is open and in one that is opened, and goes on by itself afterwards", async () => {
    const open = await openPage(served.browser, `${served.dashboard.url}?lang=vi`);
    expect(await open.page.textContent("#overview-events_value")).to.equal("7");
    await server.stop();
    await open.page.waitForSelector("[data-state=down]", { timeout: POLL_MS });
    expect(await open.page.textContent("#banner")).to.include(WORDS.vi.down);
    const late = await openPage(served.browser, `${served.dashboard.url}?lang=en`);
    expect(await late.page.textContent("#banner")).to.include(WORDS.en.down);
    await server.start();
    for (const { page, faults } of [open, late]) {
      await page.waitForSelector(".notice.stop", { state: "detached", timeout: POLL_MS });
      await page.waitForSelector("#overview-events_value:not(:empty)", { timeout: POLL_MS });
      expect(await page.textContent("#overview-events_value")).to.equal("7");
      expect(faults).to.deep.equal([]);
      await page.context().close();
    }
  });

  it("says in the browser that the tunnel is gone", async () => {
    const { page } = await openPage(served.browser, `${served.dashboard.url}?lang=en`);
    await served.dashboard.stop();
    await page.waitForSelector(".lost", { state: "visible" });
    expect(await page.textContent(".lost")).to.include("Is the tunnel still open?");
    await page.context().close();
  });
});
