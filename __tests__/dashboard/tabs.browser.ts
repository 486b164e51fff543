import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { expect } from "chai";
import { openPage, settled, showTab, TABS } from "../../testing/dashboard/browser.js";
import { type Served, serve } from "../../testing/dashboard/served.js";
import { smallShop } from "../../testing/dashboard/warehouse.js";

const LANGUAGES = ["en", "vi"];
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

interface AxeViolation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

describe("the dashboard in a browser", () => {
  let served: Served;
  const at = (query: string) => `${served.dashboard.url}?${query}`;
  before(async function () {
    served = await serve(this, smallShop);
  });
  after(async () => served?.close());
  afterEach(() => {
    if (served !== undefined) expect(served.log.splice(0), "what R said").to.deep.equal([]);
  });

  for (const lang of LANGUAGES)
    for (const width of [1280, 390])
      it(`draws every tab in ${lang} at ${width} px: whole, in one language, without a fault`, async () => {
        const { page, faults, elsewhere } = await openPage(served.browser, at(`lang=${lang}`), { width });
        const foreign = await foreignTexts(lang);
        for (const tab of TABS) {
          if (tab !== "overview") await showTab(page, tab);
          for (const details of await page.locator(".tab-pane.active details:visible").all())
            await details.evaluate((node) => node.setAttribute("open", ""));
          await page.waitForFunction(
            "[...document.querySelectorAll('.tab-pane.active details[open]')].every((node) => node.querySelector('table, .notice'))",
          );
          expect(await page.locator(".tab-pane.active .notice.bad").count(), tab).to.equal(0);
          expect(
            await page.locator(".tab-pane.active table, .tab-pane.active .plot svg").count(),
            tab,
          ).to.be.above(0);
          expect(await page.evaluate("checks.outside()"), `${tab}: wider than the page`).to.deep.equal([]);
          expect(await page.evaluate("checks.clipped()"), `${tab}: cut off`).to.deep.equal([]);
          expect(await page.evaluate("checks.overlapping()"), `${tab}: labels overlap`).to.deep.equal([]);
          expect(
            await page.evaluate(`checks.spoken(${JSON.stringify(foreign)})`),
            `${tab}: words of the other language`,
          ).to.deep.equal([]);
        }
        expect(await page.getAttribute("html", "lang")).to.equal(lang);
        expect(faults).to.deep.equal([]);
        expect(elsewhere).to.deep.equal([]);
        await page.context().close();
      });

  for (const theme of ["light", "dark"] as const)
    it(`has nothing that axe calls serious, in ${theme}`, async () => {
      const { page } = await openPage(served.browser, at("lang=en"), { theme });
      for (const tab of TABS) {
        if (tab !== "overview") await showTab(page, tab);
        await page.addScriptTag({ path: AXE });
        const violations: AxeViolation[] = await page.evaluate(
          "axe.run().then((result) => result.violations)",
        );
        const grave = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
        expect(
          grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
          tab,
        ).to.deep.equal([]);
      }
      await page.context().close();
    });

  it("keeps the view in the address, and shows it again from there", async () => {
    const { page } = await openPage(served.browser, at("lang=en&from=2025-11-28&to=2025-12-02"));
    await page.selectOption("#login", "anonymous");
    await page.selectOption("#tz", "UTC");
    await showTab(page, "raw");
    await page.selectOption("#event", "product_view");
    await page.waitForURL(/event=product_view/);
    await settled(page);
    await page.click(".tab-pane.active .pager button >> nth=1");
    await page.waitForURL(
      (url) => url.searchParams.get("page") === "2" && url.searchParams.get("event") === "product_view",
    );
    await settled(page);
    const wanted = {
      tab: "raw",
      from: "2025-11-28",
      to: "2025-12-02",
      login: "anonymous",
      tz: "UTC",
      event: "product_view",
      page: "2",
    };
    expect(Object.fromEntries(new URL(page.url()).searchParams)).to.include(wanted);
    const text = await page.textContent(".tab-pane.active");
    const shared = await openPage(served.browser, page.url());
    expect(await shared.page.textContent(".tab-pane.active")).to.equal(text);
    expect(await shared.page.inputValue("#login")).to.equal("anonymous");
    await page.context().close();
    await shared.page.context().close();
  });

  it("counts what the chosen filters leave", async () => {
    const { page } = await openPage(served.browser, at("lang=en&tz=UTC&from=2025-11-28&to=2025-12-02"));
    const shown = async () => (await page.textContent("#overview-events_value"))?.replaceAll(",", "");
    const count = async (login: string) => {
      const { rows } = await served.database.pool.query(
        `SELECT count(*)::text AS n FROM public.clickstream_events
         WHERE event_timestamp >= '2025-11-28Z' AND event_timestamp < '2025-12-03Z' AND ($1 = '' OR user_login_state = $1)`,
        [login],
      );
      return rows[0].n;
    };
    expect(await shown()).to.equal(await count(""));
    await page.selectOption("#login", "guest");
    await page.waitForURL(/login=guest/);
    await page.waitForSelector(`#overview-events_value:text-is("${await count("guest")}")`);
    await page.context().close();
  });

  it("offers ready-made periods, shows which one is on, and takes any days", async () => {
    const { page } = await openPage(served.browser, at("lang=en&tz=UTC"));
    expect(await page.inputValue("#period")).to.equal("7");
    for (const [period, days] of [
      ["1", "from=2025-12-07&to=2025-12-07"],
      ["yesterday", "from=2025-12-06&to=2025-12-06"],
      ["last_month", "from=2025-11-01&to=2025-11-30"],
      ["since", "from=2025-11-01&to=2025-12-07"],
      ["month", "from=2025-12-01&to=2025-12-07"], // the same days as the last seven
    ] as const) {
      await page.selectOption("#period", period);
      await page.waitForURL((url) => url.search.includes(days));
      await settled(page);
    }
    await page.locator("#range input").first().click();
    await page.click(".datepicker td.day:not(.old):not(.new):text-is('3')");
    await page.waitForURL(/from=2025-12-03&to=2025-12-07/);
    await page.waitForFunction(
      "document.querySelector('#period').value === 'since' || document.querySelector('#period').value === ''",
    );
    await page.context().close();
  });

  it("filters everything by what is clicked, and the chip takes it off again", async () => {
    const { page } = await openPage(served.browser, at("lang=en&tz=UTC"));
    /** The bar of a plot: the path or rectangle that ECharts drew last for it. */
    const bar = (plot: string, n: number) => page.locator(`#${plot} svg path[fill="#1f5fa8"]`).nth(n);
    await bar("overview-login_states-plot", 0).click();
    await page.waitForURL(/login=anonymous/);
    await settled(page);
    expect(await page.inputValue("#login")).to.equal("anonymous");
    expect(await page.textContent("#chips")).to.include("Login state: Anonymous");
    await bar("overview-categories-plot", 0).click();
    await page.waitForURL(/category=/);
    await settled(page);
    expect(await page.locator(".chip").count()).to.equal(2);
    expect(await page.textContent("#overview-visitors_change")).to.include("Not narrowed by: Category");
    for (const left of [1, 0]) {
      await page.click(".chip >> nth=0");
      await page.waitForFunction(`document.querySelectorAll(".chip").length === ${left}`);
    }
    await settled(page);
    expect(new URL(page.url()).search).to.not.match(/login|category/);
    await bar("overview-over_time-plot", 2).click();
    await page.waitForURL(/from=2025-12-03&to=2025-12-03/);
    await settled(page);
    expect(await page.locator("#overview-over_time-plot").getAttribute("aria-label")).to.include(
      "3 Dec 2025",
    );
    await page.context().close();
  });

  it("shows the metric that is chosen, in a box or from the list, by the grain that is chosen", async () => {
    const { page } = await openPage(served.browser, at("lang=en&tz=UTC&from=2025-11-24&to=2025-12-07"));
    await page.click('button[data-metric="conversion"]');
    await page.waitForURL(/metric=conversion/);
    await page.waitForSelector('#overview-over_time-plot[aria-label^="Conversion"]');
    expect(await page.inputValue("#metric")).to.equal("conversion");
    await page.selectOption("#grain", "week");
    await page.waitForURL(/grain=week/);
    await settled(page);
    await page
      .locator("#overview-over_time-table")
      .evaluate((node) => node.closest("details")?.setAttribute("open", ""));
    await page.waitForSelector("#overview-over_time-table table");
    expect(await page.locator("#overview-over_time-table tbody tr").count()).to.equal(2);
    await page.context().close();
  });

  it("searches as one types, sorts by a heading, pages, and opens a product's own page", async () => {
    const { page } = await openPage(served.browser, at("lang=en&tab=products&from=2025-11-01&to=2025-12-31"));
    await page.locator("#q").pressSequentially("tai nghe");
    await page.waitForURL(/q=tai%20nghe/);
    await settled(page);
    const cells = (n: number) =>
      page.locator(`#products-top-body tbody td:nth-child(${n})`).allTextContents();
    const names = await cells(1);
    expect(names.length).to.be.above(0);
    for (const name of names) expect(name.toLowerCase()).to.include("tai nghe");
    await page.fill("#q", "'; DROP TABLE x; --");
    await page.waitForSelector("#products-top-body .notice");
    expect(await page.textContent("#products-top-body")).to.include("Nothing matches these filters.");
    await page.fill("#q", "");
    await page.waitForSelector("#products-top-body table");
    for (const order of ["descending", "ascending"]) {
      await page.click("#products-top-body th button:text-matches('Adds to cart')");
      await page.waitForSelector(`#products-top-body th[aria-sort=${order}]:has-text('Adds to cart')`);
      const carts = (await cells(8)).map(Number);
      const sorted = [...carts].sort((a, b) => (order === "ascending" ? a - b : b - a));
      expect(carts, order).to.deep.equal(sorted);
    }
    await page.click("#products-top-body tbody tr:last-child .pick >> nth=0");
    await page.waitForURL(/product=sku-/);
    await page.waitForSelector("#products-product_days-plot svg");
    expect(await page.textContent("#products-product_head h2")).to.equal((await cells(1)).at(-1));
    await page.click("#products-product_head button");
    await page.waitForSelector("#products-product_days-plot", { state: "hidden" });
    await page.context().close();
  });

  it("follows paths from the event that is clicked, and a funnel of one's own that the address holds", async () => {
    const { page, faults } = await openPage(served.browser, at("lang=en&tab=paths&tz=UTC"));
    expect(await page.inputValue("#start")).to.equal("product_view");
    await page.focus("#paths-after-plot");
    await page.keyboard.press("ArrowDown");
    expect(await page.textContent("#said")).to.match(/^Product view: /);
    await page.locator("#paths-after-plot svg text:text-is('Click')").first().click();
    await page.waitForURL(/start=click/);
    await settled(page);
    expect(await page.inputValue("#start")).to.equal("click");
    expect(await page.getAttribute("#paths-before-plot", "aria-label")).to.match(/^Before Click: /);
    await page.selectOption("#s1", "home_view");
    await page.selectOption("#s2", "click");
    await page.waitForURL(/s1=home_view&s2=click/);
    for (const n of [3, 4]) await page.selectOption(`#s${n}`, "");
    await page.selectOption("#within", "7");
    await page.waitForURL((url) => url.searchParams.get("within") === "7" && !url.searchParams.has("s3"));
    await settled(page);
    const shared = await openPage(served.browser, page.url());
    expect(await shared.page.inputValue("#s2")).to.equal("click");
    expect(await shared.page.textContent("#paths-own-body")).to.include("within 7 days of the first one");
    const bars = shared.page.locator("#paths-own-plot svg path[fill='#1f5fa8']");
    expect(await bars.count()).to.equal(2);
    expect(faults).to.deep.equal([]);
    await page.context().close();
    await shared.page.context().close();
  });

  it("counts raised alerts beside the tab's name, and says which, with their names as text", async () => {
    const { page } = await openPage(served.browser, at("lang=en"));
    expect(await page.textContent("#alert_count .badge")).to.equal("1");
    await showTab(page, "alerts");
    const first = page.locator("#alerts-rules-body tbody tr").first();
    expect(await first.textContent())
      .to.include("Raised")
      .and.include("A new event name")
      .and.include("<img src=x onerror=alert(1)>");
    expect(await page.locator("#alerts-rules-body tbody tr").count()).to.equal(4);
    await page.context().close();
  });

  it("adds up what orders are worth, and says how many name a price", async () => {
    const { page } = await openPage(served.browser, at("lang=en&tz=UTC&from=2025-11-24&to=2025-12-07"));
    await page.click('button[data-metric="value"]');
    await page.waitForURL(/metric=value/);
    await page.waitForSelector('#overview-over_time-plot[aria-label^="Order value"]');
    expect(await page.textContent("#overview-value_change")).to.match(/\d+ of \d+ orders name a price/);
    await page.context().close();
  });

  it("shows cohorts by week and by day", async () => {
    const { page } = await openPage(
      served.browser,
      at("lang=en&tab=retention&tz=UTC&from=2025-11-24&to=2025-12-07"),
    );
    const cells = () => page.locator("#retention-cohorts-plot svg path").count();
    const weeks = await cells();
    await page.selectOption("#cohort", "day");
    await page.waitForURL(/cohort=day/);
    await settled(page);
    expect(await cells()).to.be.above(weeks);
    await page.context().close();
  });

  it("switches language and theme, and keeps the view", async () => {
    const { page, faults } = await openPage(served.browser, at("lang=en&tab=funnel&by=brand"));
    await page.click('.languages a[lang="vi"]');
    await page.waitForURL(/lang=vi/);
    await settled(page);
    expect(await page.textContent("h1")).to.equal("Bảng theo dõi clickstream");
    expect(new URL(page.url()).searchParams.get("by")).to.equal("brand");
    const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const label = () => page.locator("#funnel-steps-plot svg text").first().getAttribute("fill");
    const [light, ink] = [await ground(), await label()];
    await page.click("#theme");
    await page.waitForSelector("html[data-bs-theme=dark]");
    expect(await ground()).to.not.equal(light);
    await page.waitForFunction(
      `document.querySelector("#funnel-steps-plot svg text").getAttribute("fill") !== "${ink}"`,
    );
    await page.reload();
    await settled(page);
    expect(await page.getAttribute("html", "data-bs-theme")).to.equal("dark");
    expect(faults).to.deep.equal([]);
    await page.context().close();
  });

  it("gives the CSV and the picture of what is shown", async () => {
    const { page } = await openPage(served.browser, at("lang=vi&tab=raw"));
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#raw-events-csv")]);
    const text = await readFile(await download.path(), "utf8");
    expect(download.suggestedFilename()).to.match(/^events-2025-12-01-2025-12-07\.csv$/);
    expect(text.split("\n")[0]).to.equal(
      '\uFEFF"event_timestamp","event_name","user_login_state","context_product_name","context_product_category","context_product_brand","context_product_price","context_product_discount_price","user_id","client_id","session_id","is_first_visit","identity_source","context_product_id","context_product_url_path","event_id"',
    );
    expect(text.trim().split("\n")).to.have.length(51);
    await showTab(page, "activity");
    const [picture] = await Promise.all([
      page.waitForEvent("download"),
      page.click("[data-png=activity-week-plot]"),
    ]);
    const png = await readFile(await picture.path());
    expect(png.subarray(1, 4).toString()).to.equal("PNG");
    const box = await page.locator("#activity-week-plot").boundingBox();
    expect(png.readUInt32BE(16), "three times as sharp").to.equal(3 * Math.floor(box?.width ?? 0));
    await page.context().close();
  });

  it("can be worked by the keyboard alone, and says each item of a plot", async () => {
    const { page } = await openPage(served.browser, at("lang=en"));
    await page.focus('#tab [data-value="overview"]');
    await page.keyboard.press("ArrowRight");
    await page.waitForURL(/tab=acquisition/);
    await page.keyboard.press("ArrowRight");
    await page.waitForURL(/tab=visitors/);
    await settled(page);
    await page.focus("#visitors-new-body");
    await page.locator(".tab-pane.active summary").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("#visitors-new-table table", { state: "visible" });
    await showTab(page, "overview");
    await page.focus("#overview-login_states-plot");
    await page.keyboard.press("ArrowDown");
    expect(await page.textContent("#said")).to.match(/^Anonymous: /);
    await page.keyboard.press("ArrowDown");
    expect(await page.textContent("#said")).to.match(/^Logged in: /);
    await page.keyboard.press("Enter");
    await page.waitForURL(/login=logged_in/);
    await page.context().close();
  });

  it("marks an unfinished day as unfinished", async () => {
    const { page } = await openPage(served.browser, at("lang=en"));
    const dashed = page.locator("#overview-over_time-plot svg path[fill='#1f5fa8'][stroke-dasharray]");
    expect(await dashed.count()).to.equal(1);
    expect(await page.textContent("#overview-over_time-body .hint")).to.match(/Data until 7 Dec 2025/);
    await page.context().close();
  });

  it("greets a first visit only, prints without its controls, and rests where the system asks so", async () => {
    const { page } = await openPage(served.browser, at("lang=en"));
    await page.click("#first-visit .btn-close");
    await page.waitForSelector("#first-visit", { state: "detached" });
    await page.reload();
    await settled(page);
    expect(await page.locator("#first-visit").isVisible()).to.equal(false);
    await page.emulateMedia({ media: "print" });
    for (const control of [".sidebar", ".navbar", ".tool >> nth=0"])
      expect(await page.locator(control).isVisible(), control).to.equal(false);
    await page.emulateMedia({ media: "screen", reducedMotion: "reduce" });
    await page.selectOption("#login", "guest");
    await page.waitForURL(/login=guest/);
    await settled(page);
    await page.context().close();
  });
});

/** Texts of the other language that this language does not have too. */
async function foreignTexts(lang: string): Promise<string[]> {
  const table = await readFile(new URL("../../dashboard/app/strings.csv", import.meta.url), "utf8");
  const rows = table
    .trim()
    .split("\n")
    .slice(1)
    .map((line) =>
      [...line.matchAll(/("[^"]*"|[^,]*)(,|$)/g)].map((match) => match[1]?.replaceAll('"', "") ?? ""),
    );
  const own = new Set(rows.map((row) => row[lang === "en" ? 1 : 2]));
  return rows
    .map((row) => row[lang === "en" ? 2 : 1] ?? "")
    .filter((text) => text.length > 2 && !text.includes("{") && !own.has(text));
}
