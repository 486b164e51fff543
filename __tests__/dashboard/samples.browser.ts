import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { directorySource, runEtl } from "etl-lib";
import { openPage, showTab, TABS } from "./support/browser.js";
import { type Served, serve } from "./support/served.js";
import { emptyWarehouse } from "./support/warehouse.js";

const SAMPLES = fileURLToPath(new URL("../../samples", import.meta.url));
/** Set to 1, the pictures of README are taken anew. */
const PICTURES = process.env.REWRITE_SCREENSHOTS === "1";

describe("the dashboard on the bundled samples", () => {
  let served: Served;
  before(async function () {
    served = await serve(this, async () => {
      const database = await emptyWarehouse();
      const source = await directorySource(SAMPLES);
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
      expect(await page.locator(".tab-pane.active .notice").count(), tab).to.equal(0);
      const path = fileURLToPath(new URL(`../../docs/images/dashboard-${tab}.png`, import.meta.url));
      if (PICTURES) await page.screenshot({ path, fullPage: tab !== "raw" });
    }
    expect(faults).to.deep.equal([]);
    expect(served.log).to.deep.equal([]);
  });
});
