import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { directorySource, runEtl } from "etl-lib";
import type { Page } from "playwright-core";
import { samplesOf } from "../../cli/etl/source.js";
import { openPage, showTab, TABS } from "../../testing/dashboard/browser.js";
import { type Served, serve } from "../../testing/dashboard/served.js";
import { emptyWarehouse } from "../../testing/dashboard/warehouse.js";

const SAMPLES = fileURLToPath(new URL("../../samples", import.meta.url));
/** Set to 1, the pictures of README are taken again. */
const PICTURES = process.env.REWRITE_SCREENSHOTS === "1";

describe("the dashboard on the bundled samples", () => {
  let served: Served;
  before(async function () {
    served = await serve(this, async () => {
      const database = await emptyWarehouse();
      const source = samplesOf(await directorySource(SAMPLES));
      const { status } = await runEtl({ source, pool: database.pool, window: null, trigger: "local" });
      expect(status).to.equal("succeeded");
      return database;
    });
  });
  after(async () => served?.close());

  it("shows every tab as a newcomer sees it", async () => {
    const query = "?lang=en&from=2026-11-14&to=2026-11-20";
    const { page, faults } = await openPage(served.browser, `${served.dashboard.url}${query}`);
    for (const tab of TABS) {
      if (tab !== "overview") await showTab(page, tab);
      expect(await page.locator(".tab-pane.active .notice:not(.good):visible").count(), tab).to.equal(0);
      expect(await page.innerText(".tab-pane.active"), `${tab}: R's word for nothing`).to.not.match(/\bNA\b/);
      await picture(page, tab);
    }
    expect(faults).to.deep.equal([]);
    expect(served.log).to.deep.equal([]);
  });

  for (const [width, theme, lang] of [
    [1440, "dark", "vi"],
    [768, "light", "vi"],
    [390, "dark", "en"],
  ] as const)
    it(`fits ${width} px, ${theme}, in ${lang}`, async () => {
      const query = `?lang=${lang}&from=2026-11-14&to=2026-11-20`;
      const { page, faults } = await openPage(served.browser, `${served.dashboard.url}${query}`, {
        width,
        theme,
      });
      const outside = (await page.evaluate("checks.outside()")) as string[];
      expect(outside.slice(0, 5)).to.deep.equal([]);
      expect(await page.evaluate("checks.broken()"), "figures on two lines or over the edge").to.deep.equal(
        [],
      );
      await picture(page, `overview-${width}-${theme}-${lang}`);
      expect(faults).to.deep.equal([]);
      await page.context().close();
    });
});

async function picture(page: Page, name: string): Promise<void> {
  if (!PICTURES) return;
  await page.waitForTimeout(600); // what moves has come to rest
  const path = fileURLToPath(new URL(`../../docs/images/dashboard-${name}.png`, import.meta.url));
  await page.screenshot({ path, fullPage: name !== "raw" });
}
