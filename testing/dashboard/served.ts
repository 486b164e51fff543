import type { Context } from "mocha";
import type { Browser } from "playwright-core";
import { launchDashboard, type RunningDashboard } from "../../cli/dashboard/launch.js";
import { choosePort } from "../../connect/local-port.js";
import type { TestDatabase } from "../postgres.js";
import { openBrowser } from "./browser.js";
import { requireChromium, requireR } from "./tools.js";
import { asReader } from "./warehouse.js";

/** A dashboard on a database, and a browser to look at it with. */
export interface Served {
  readonly database: TestDatabase;
  readonly dashboard: RunningDashboard;
  readonly browser: Browser;
  /** What R said that is no start-up line: a warning or an error. */
  readonly log: string[];
  close(): Promise<void>;
}

/** For a `before` hook; skips in words without R or Chromium. */
export async function serve(context: Context, makeDatabase: () => Promise<TestDatabase>): Promise<Served> {
  const runtime = requireR(context);
  const chromium = requireChromium(context);
  const database = await makeDatabase();
  const log: string[] = [];
  const dashboard = await launchDashboard({
    runtime,
    connection: await asReader(database),
    port: await choosePort(0),
    onLog: (line) => {
      if (!line.startsWith("Listening on")) log.push(line);
    },
  });
  const browser = await openBrowser(chromium);
  const close = async () => {
    await browser.close();
    await dashboard.stop();
    await database.drop();
  };
  return { database, dashboard, browser, log, close };
}
