/** How fast the dashboard is on ten million events, beside reading all rows into R as is commonly done. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { migrate, rebuildRollups } from "etl-lib";
import pg from "pg";
import type { Browser } from "playwright-core";
import { launchDashboard } from "../cli/dashboard/launch.js";
import { findRuntime } from "../cli/dashboard/runtime.js";
import { count, table } from "../cli/shared/format.js";
import { choosePort } from "../connect/local-port.js";
import { openEmbedded } from "../postgres/embedded.js";
import { openBrowser, openPage } from "../testing/dashboard/browser.js";
import { findProgram } from "../testing/dashboard/tools.js";

const options = new Command("bench dashboard")
  .option("--events <n>", "events in the warehouse", Number, 10_000_000)
  .option("--days <n>", "that they spread over", Number, 60)
  .option("--rounds <n>", "of each measurement; the median counts", Number, 3)
  .parse()
  .opts<{ events: number; days: number; rounds: number }>();

const EVENTS_A_SESSION = 8;
const OWN_STEPS = ["product_view", "add_to_cart_click", "checkout_start", "checkout_complete"];
const ZONE = "Asia/Ho_Chi_Minh";
/** Of the events that begin sessions: of the others Acquisition reads none. */
const DETAILS = `INSERT INTO public.clickstream_event_details (event_id, event_timestamp, page_url, referrer_host, utm_campaign, device, browser, is_bot)
  SELECT event_id, event_timestamp, 'https://shop.vn/product/' || h % 2000, 'site-' || h % 50 || '.vn', 'campaign ' || h % 300,
    (ARRAY['mobile', 'mobile', 'desktop', 'bot'])[h % 4 + 1], (ARRAY['Chrome', 'Safari', 'Firefox', 'GPTBot'])[h % 4 + 1], h % 4 = 3
  FROM public.clickstream_events, LATERAL (SELECT abs(hashtext(session_id)) AS h) AS hash WHERE event_name = 'home_view'`;
const SQL = new URL("../dashboard/app/sql/", import.meta.url);
const say = (text: string) => console.error(text);
const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const day = (before: number) => new Date(Date.now() - before * 86_400_000).toISOString().slice(0, 10);

const folder = mkdtempSync(join(tmpdir(), "bench-dashboard-"));
const server = await openEmbedded(join(folder, "postgres"), "clickstream_dw");
const { host, port, user, password, database } = server.connection;
const pool = new pg.Pool({ host, port, user, password, database, max: 2 });
const reader = { host, port, database, user: "dashboard_reader", password: "reader" };

try {
  await fill();
  const statements = await timeStatements();
  const [opened, everything] = [await timePages(), readEverything()];
  report(statements, opened, everything);
} finally {
  await pool.end();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

async function fill(): Promise<void> {
  await migrate(pool);
  say(`making ${count(options.events)} events …`);
  const seed = readFileSync(new URL("dashboard.sql", import.meta.url), "utf8");
  await pool.query(seed, [`${Math.round(options.events / EVENTS_A_SESSION)}`, `${options.days}`]);
  await pool.query(DETAILS);
  await pool.query("VACUUM ANALYZE public.clickstream_events");
  say("rolling them up …");
  const { durationMs } = await rebuildRollups(pool);
  say(`rolled up in ${(durationMs / 1000).toFixed(0)} s`);
  await pool.query("VACUUM ANALYZE");
  await pool.query(`ALTER ROLE ${reader.user} LOGIN PASSWORD '${reader.password}'`);
}

/** Milliseconds of each panel's statement, by what a person would do. */
async function timeStatements(): Promise<Map<string, number>> {
  const client = new pg.Client({ ...reader, options: "-c work_mem=64MB -c jit=off" }); // as core/db.R has it
  await client.connect();
  const times = new Map<string, number>();
  for (const [label, name, values] of questions()) {
    const text = readFileSync(new URL(`${name}.sql`, SQL), "utf8");
    const rounds: number[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const start = performance.now();
      await client.query(text, values.map(String));
      rounds.push(performance.now() - start);
    }
    times.set(`${label}: ${name}`, median(rounds));
  }
  await client.end();
  return times;
}

function questions(): [string, string, (string | number)[]][] {
  const covered = `${day(0)} 11:17:00`; // so the totals read the day that the period before is cut in
  const ranges = {
    "7 days": [day(6), day(0), ZONE],
    "30 days": [day(29), day(0), ZONE],
    all: [day(options.days), day(0), ZONE],
  };
  return [
    ["any", "freshness", [ZONE]],
    ["any", "choices", []],
    ...Object.entries(ranges).flatMap(([label, range]): [string, string, (string | number)[]][] => [
      [label, "overview_totals", [...range, "", covered, "", "all", ""]],
      [label, "overview_series", [...range, "", "day", "", "all", ""]],
      [`${label}, one category`, "overview_series", [...range, "", "day", "", "category", "Danh mục 7"]],
      [label, "acquisition_days", [...range, "day"]],
      [label, "acquisition_top", [...range, "page", "without"]],
      [label, "visitors_new", [...range, "day"]],
      [label, "visitors_sessions", [...range, ""]],
      [`${label}, by week`, "retention_cohorts", [...range, "week"]],
      [`${label}, by day`, "retention_cohorts", [...range, "day"]],
      [label, "overview_event_mix", [...range, ""]],
      [label, "overview_login_states", [...range, ""]],
      [`${label}, one login state`, "overview_totals", [...range, "guest", covered, "", "all", ""]],
      [label, "products_top", [...range, "", "", "", "views", "desc", 0, 25]],
      [`${label}, search`, "products_top", [...range, "", "", "galaxy 19", "conversion", "desc", 0, 25]],
      [label, "product_days", [...range, "sku-190"]],
      [label, "products_groups", [...range, "", "", "", "brand"]],
      [label, "funnel_steps", [...range, "", "all", ""]],
      [label, "funnel_by", [...range, "", "brand"]],
      [label, "paths", [...range, "", "product_view"]],
      [label, "funnel_own", [...range, "", ...OWN_STEPS, "", "", "", "", ""]],
      [`${label}, in 7 days`, "funnel_own", [...range, "", ...OWN_STEPS, "", "", "", "", "7"]],
      [label, "activity_week", [...range, "", "", covered]],
      [label, "raw_count", [...range, "", ""]],
      [`${label}, first page`, "raw_events", [...range, "", "", 0, 50]],
      [`${label}, page 10,000`, "raw_events", [...range, "", "", 500_000, 50]],
      [`${label}, one event name`, "raw_events", [...range, "guest", "checkout_start", 1_000, 50]],
    ]),
  ];
}

interface Pages {
  /** To the first plots: a page whose rows nobody has asked for before. */
  readonly cold: number;
  /** The same view a second time. */
  readonly cached: number;
  /** From choosing a login state to the plots of it, whose rows nobody has asked for before. */
  readonly filterChange: number;
  /** The slowest of five that come at the same moment, each with a range of its own. */
  readonly slowestOfFive: number;
  /** Milliseconds of CPU the R process spends on each of the five: the browsers stand on the same cores here. */
  readonly cpuOfOne: number;
  readonly memoryMb: number;
}

async function timePages(): Promise<Pages> {
  const browser = await openBrowser(
    findProgram("chromium", "chromium-browser", "google-chrome") ?? "chromium",
  );
  const dashboard = await launchDashboard({
    runtime: findRuntime(),
    connection: reader,
    port: await choosePort(0),
  });
  try {
    const view = (before: number) => `${dashboard.url}?lang=en&from=${day(before + 6)}&to=${day(before)}`;
    const cold: number[] = [];
    const cached: number[] = [];
    for (let round = 0; round < options.rounds; round++) {
      cold.push(await timePage(browser, view(round)));
      cached.push(await timePage(browser, view(round)));
    }
    const filterChange = await timeFilter(browser, view(10));
    const before = cpuMs(dashboard.pid);
    const five = await Promise.all([20, 21, 22, 23, 24].map((before) => timePage(browser, view(before))));
    const cpuOfOne = (cpuMs(dashboard.pid) - before) / five.length;
    await timePage(browser, `${dashboard.url}?lang=en&from=${day(options.days)}&to=${day(0)}`);
    const status = readFileSync(`/proc/${dashboard.pid}/status`, "utf8");
    const memoryMb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
    return {
      cold: median(cold),
      cached: median(cached),
      filterChange,
      slowestOfFive: Math.max(...five),
      cpuOfOne,
      memoryMb,
    };
  } finally {
    await browser.close();
    await dashboard.stop();
  }
}

/** Of the process's life so far; Linux counts it in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function timePage(browser: Browser, url: string): Promise<number> {
  const start = performance.now();
  const { page } = await openPage(browser, url);
  const elapsed = performance.now() - start;
  await page.context().close();
  return elapsed;
}

async function timeFilter(browser: Browser, url: string): Promise<number> {
  const { page } = await openPage(browser, url);
  const rounds: number[] = [];
  for (const state of ["guest", "anonymous", "logged_in"]) {
    const shown = await page.textContent("#overview-events_value");
    const start = performance.now();
    await page.selectOption("#login", state);
    await page.waitForFunction(
      `document.querySelector("#overview-events_value").textContent !== ${JSON.stringify(shown)} && checks.settled()`,
    );
    rounds.push(performance.now() - start);
  }
  await page.context().close();
  return median(rounds);
}

/** The common way: SELECT all rows, count in R. Seconds and the process's greatest memory. */
function readEverything(): { seconds: number; memoryMb: number } {
  say("reading everything into R …");
  const code = `
    con <- DBI::dbConnect(RPostgreSQL::PostgreSQL(), host = "${host}", port = ${port}, dbname = "${database}", user = "${reader.user}", password = "${reader.password}")
    started <- Sys.time()
    rows <- DBI::dbGetQuery(con, "SELECT event_timestamp, event_name, user_login_state, client_id, session_id, context_product_id FROM public.clickstream_events")
    days <- table(as.Date(rows$event_timestamp, tz = "${ZONE}"))
    mix <- table(rows$event_name)
    states <- table(rows$user_login_state)
    totals <- c(nrow(rows), length(unique(rows$client_id)), length(unique(rows$session_id)))
    cat(as.numeric(difftime(Sys.time(), started, units = "secs")), sub("\\\\D*(\\\\d+).*", "\\\\1", grep("VmHWM", readLines("/proc/self/status"), value = TRUE)))`;
  const { stdout, stderr } = spawnSync("Rscript", ["-e", code], { encoding: "utf8" });
  const [seconds, kilobytes] = stdout.trim().split(" ").map(Number);
  if (!seconds || !kilobytes) throw new Error(`R could not read everything: ${stderr}`);
  return { seconds, memoryMb: kilobytes / 1024 };
}

function report(
  statements: Map<string, number>,
  pages: Pages,
  everything: { seconds: number; memoryMb: number },
): void {
  const rows = [...statements].sort((a, b) => b[1] - a[1]).map(([name, ms]) => [name, ms.toFixed(0)]);
  console.log(table(["statement", "ms"], rows));
  const ratio = (everything.seconds * 1000) / pages.cold;
  const memory = everything.memoryMb / pages.memoryMb;
  const figures: [string, string, string][] = [
    ["first plots, nobody asked before", `${count(pages.cold)} ms`, "1,000 ms"],
    ["first plots, asked before", `${count(pages.cached)} ms`, ""],
    ["a filter changed, from the choice to its plots", `${count(pages.filterChange)} ms`, "300 ms"],
    [
      "slowest of five browsers at once, on the same cores",
      `${count(pages.slowestOfFive)} ms, ${(pages.slowestOfFive / pages.cold).toFixed(1)} times one`,
      "1.5 times",
    ],
    ["R's own work for one of the five", `${count(pages.cpuOfOne)} ms`, ""],
    ["slowest statement", `${rows[0]?.[1]} ms (${rows[0]?.[0]})`, "500 ms"],
    ["R process, greatest", `${count(pages.memoryMb)} MB`, "300 MB"],
    [
      "SELECT everything, count in R",
      `${everything.seconds.toFixed(1)} s, ${count(everything.memoryMb)} MB`,
      "",
    ],
    ["ratio to it", `${ratio.toFixed(0)} times faster, ${memory.toFixed(0)} times smaller`, ""],
  ];
  console.log(table(["what", `${count(options.events)} events, ${cpus().length} cores`, "aim"], figures));
}
