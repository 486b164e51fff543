import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

export const TABS = [
  "overview",
  "acquisition",
  "visitors",
  "retention",
  "funnel",
  "paths",
  "products",
  "activity",
  "alerts",
  "quality",
  "raw",
];

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const openBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: FLAGS });

/** A page that notes what it may never do. */
export interface WatchedPage {
  readonly page: Page;
  /** Console errors and warnings, uncaught errors, failed requests. */
  readonly faults: string[];
  /** Every request to another address than the dashboard's. */
  readonly elsewhere: string[];
}

export interface PageOptions {
  readonly width?: number;
  readonly theme?: "light" | "dark";
}

export async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, theme = "light" }: PageOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: theme,
    acceptDownloads: true,
  });
  await context.addInitScript({ path: fileURLToPath(new URL("page-checks.js", import.meta.url)) });
  const page = await context.newPage();
  page.setDefaultTimeout(180_000); // the machine may be busy
  const faults: string[] = [];
  const elsewhere: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  // What the browser itself gave up is no fault of the page: it drops a font whose style was replaced while it came.
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText;
    if (reason !== "net::ERR_ABORTED") faults.push(`${request.url()} ${reason}`);
  });
  const home = new URL(url).host;
  page.on("request", (request) => {
    const { host, protocol } = new URL(request.url());
    if (!["data:", "blob:"].includes(protocol) && host !== home) elsewhere.push(request.url());
  });
  await page.goto(url);
  await settled(page);
  return { page, faults, elsewhere };
}

/** Until every output of the tab in front has come and none is being redrawn. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction("checks.settled()", undefined, { timeout: 180_000 });
}

export async function showTab(page: Page, name: string): Promise<void> {
  const tab = page.locator(`#tab [data-value="${name}"]`);
  if (!(await tab.isVisible())) await page.click(".navbar-toggle"); // a narrow page
  await tab.click();
  await page.waitForURL((url) => url.searchParams.get("tab") === name);
  await settled(page);
}
