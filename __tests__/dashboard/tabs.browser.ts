import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { expect } from "chai";
import { openPage, settled, showTab } from "./support/browser.js";
import { type Served, serve } from "./support/served.js";
import { smallShop } from "./support/warehouse.js";

const TABS = ["overview", "products", "funnel", "activity", "quality", "raw"];
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
          for (const details of await page.locator(".tab-pane.active details").all())
            await details.evaluate((node) => node.setAttribute("open", ""));
          expect(await page.locator(".tab-pane.active .notice.bad").count(), tab).to.equal(0);
          expect(
            await page.locator(".tab-pane.active table, .tab-pane.active .tile").count(),
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
    const { page } = await openPage(served.browser, at("lang=en"));
    await page.fill("#from", "2025-11-28");
    await page.fill("#to", "2025-12-02");
    await page.selectOption("#login", "anonymous");
    await page.selectOption("#tz", "UTC");
    await showTab(page, "raw");
    await page.selectOption("#event", "product_view");
    await page.waitForURL(/event=product_view/);
    await settled(page);
    await page.click("#raw-older");
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
    const shown = async () =>
      (await page.textContent("#overview-totals-body .tile:first-child .big"))?.replaceAll(",", "");
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
    await settled(page);
    await page.waitForSelector(
      `#overview-totals-body .tile:first-child .big:text-is("${await count("guest")}")`,
    );
    await page.click("#last1");
    await page.waitForURL(/from=2025-12-07&to=2025-12-07/);
    await page.context().close();
  });

  it("searches products, and says in words when nothing matches", async () => {
    const { page } = await openPage(served.browser, at("lang=en&tab=products&from=2025-11-01&to=2025-12-31"));
    await page.fill("#q", "tai nghe");
    await page.waitForURL(/q=tai/);
    await settled(page);
    const names = await page.locator("#products-top-body tbody td:first-child").allTextContents();
    expect(names.length).to.be.above(0);
    for (const name of names) expect(name.toLowerCase()).to.include("tai nghe");
    await page.fill("#q", "'; DROP TABLE x; --");
    await page.waitForSelector("#products-top-body .notice");
    expect(await page.textContent("#products-top-body")).to.equal("Nothing matches these filters.");
    await page.context().close();
  });

  it("switches language and theme, and keeps the view", async () => {
    const { page, faults } = await openPage(served.browser, at("lang=en&tab=funnel&by=brand"));
    await page.click('button[data-lang="vi"]');
    await page.waitForURL(/lang=vi/);
    await settled(page);
    expect(await page.textContent("h1")).to.equal("Bảng theo dõi clickstream");
    expect(new URL(page.url()).searchParams.get("by")).to.equal("brand");
    const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await ground();
    await page.click("button.theme");
    expect(await ground()).to.not.equal(light);
    expect(await page.getAttribute("button.theme", "aria-pressed")).to.equal("true");
    await page.reload();
    await settled(page);
    expect(await page.getAttribute("html", "data-theme")).to.equal("dark");
    expect(faults).to.deep.equal([]);
    await page.context().close();
  });

  it("gives the CSV of what is shown", async () => {
    const { page } = await openPage(served.browser, at("lang=vi&tab=raw"));
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#raw-events-csv")]);
    const text = await readFile(await download.path(), "utf8");
    expect(download.suggestedFilename()).to.match(/^events-2025-12-01-2025-12-07\.csv$/);
    expect(text.split("\n")[0]).to.equal(
      '\uFEFF"event_timestamp","event_name","user_login_state","context_product_name","context_product_category","context_product_brand","context_product_price","context_product_discount_price","user_id","client_id","session_id","is_first_visit","identity_source","context_product_id","context_product_url_path","event_id"',
    );
    expect(text.trim().split("\n")).to.have.length(51);
    await page.context().close();
  });

  it("can be worked by the keyboard alone", async () => {
    const { page } = await openPage(served.browser, at("lang=en"));
    await page.focus('#tab [data-value="overview"]');
    await page.keyboard.press("ArrowRight");
    await page.waitForURL(/tab=products/);
    await settled(page);
    await page.focus("#products-categories-body summary");
    await page.keyboard.press("Enter");
    expect(await page.locator("#products-categories-body table").isVisible()).to.equal(true);
    await page.context().close();
  });

  it("marks an unfinished day as unfinished", async () => {
    const { page } = await openPage(served.browser, at("lang=en"));
    const columns = await page
      .locator("#overview-over_time-body rect")
      .evaluateAll((all) => all.map((node) => node.getAttribute("class")));
    expect(columns).to.deep.equal([null, null, null, null, null, null, "unfinished"]);
    expect(await page.textContent("#overview-over_time-body .hint")).to.match(/Data until 7 Dec 2025/);
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
